// A file as an older logger wrote it, for deploy/mapping.yaml: Windows-1251, semicolons, decimal commas.
const HEAD = ['Логгер "Памир-2"', 'SN 0042', 'Дата;Время;PV, кВт;Выработка, кВт·ч;АКБ, %;Насос'];

export const LOGGER_ROWS = [
  '01.03.2024;06:00;0,000;1204,5;81;0',
  '01.03.2024;06:10;0,125;1204,6;81;0',
  '01.03.2024;06:20;---;1204,6;82;1',
  '01.03.2024;06:30;1.5;1204,9;-9999;1',
  '32.03.2024;06:40;1,5;1205,0;83;1',
  '01.03.2024;06:50;1,75;1205,2;183;2',
  '01.03.2024;07:00;1,8;1205,5',
];

export function loggerFile(rows: readonly string[] = LOGGER_ROWS): Buffer {
  const text = `${[...HEAD, ...rows].join('\r\n')}\r\n`;
  return Buffer.from([...text].map(byteOf));
}

/** Windows-1251: letters from 0xC0 on, as Unicode has them from U+0410 on. */
function byteOf(letter: string): number {
  const code = letter.charCodeAt(0);
  if (letter === '·') return 0xb7;
  return code >= 0x410 && code <= 0x44f ? code - 0x410 + 0xc0 : code;
}
