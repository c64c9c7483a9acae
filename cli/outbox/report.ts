// What `oftob outbox` prints: for a person, or as JSON.
import type { CarryTotals } from '#contract/carry.js';
import { codeOf } from '#domain/quality.js';
import { DEAD_LETTERS_MAX, type Outbox } from '#gateway/outbox/outbox.js';
import { type Damage, damageOf, damageText } from './damage.js';

type Rows = readonly (readonly [name: string, value: string | number])[];

function table(rows: Rows): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length)) + 2;
  return rows.map(([name, value]) => `  ${name.padEnd(width)}${value}\n`).join('');
}

const json = (value: unknown) => `${JSON.stringify(value)}\n`;
/** A dead letter may be dead for its time. */
const timeText = (at: number | null) =>
  at === null || Number.isNaN(new Date(at).getTime()) ? '–' : new Date(at).toISOString();

export interface ExportReport {
  readonly file: string;
  readonly totals: CarryTotals;
  readonly untimed: number;
  readonly unfit: number;
  readonly damage: Damage | undefined;
  /** 0 where there was nothing to carry. */
  readonly bytes: number;
  readonly sha256: string;
}

export function exportText(report: ExportReport, asJson: boolean): string {
  const { file, totals, untimed, unfit, damage, bytes, sha256 } = report;
  const { records, samples, from, to } = totals;
  if (asJson)
    return json({
      file: bytes === 0 ? null : file,
      records,
      samples,
      from,
      to,
      bytes,
      sha256: sha256 || null,
      untimed,
      unfit,
      damage: damage ?? null,
    });
  const notes = [
    damageText(damage),
    untimed > 0 ? `${untimed} records wait for the time and are not in the file; they stay in the outbox.\n` : '',
    unfit > 0 ? `${unfit} records fit into no payload and are not in the file; they stay in the outbox.\n` : '',
  ].join('');
  if (bytes === 0) return `Nothing waits for the server: no file was written.\n${notes}`;
  const rows: Rows = [
    ['records', records],
    ['samples', samples],
    ['from', timeText(from)],
    ['to', timeText(to)],
    ['bytes', bytes],
    ['SHA-256', sha256],
  ];
  return `Wrote ${file}\n${table(rows)}${notes}Nothing left the outbox. Start the gateway again; at the server: oftob import FILE\n`;
}

/** @param outbox just opened */
export function statusText(outbox: Outbox, asJson: boolean): string {
  const status = outbox.status();
  const deadLetters = outbox.deadLetters(DEAD_LETTERS_MAX).length;
  const damage = damageOf(outbox);
  const { bytes, bytesMax, capacityMs } = status;
  const fillPercent = bytesMax === 0 ? 100 : (100 * bytes) / bytesMax;
  if (asJson)
    return json({ ...status, capacityMs: capacityMs ?? null, fillPercent, deadLetters, damage: damage ?? null });
  const rows: Rows = [
    ['records that wait', status.pendingRecords],
    ['of these without a time', status.untimedRecords],
    ['bytes', `${bytes} of ${bytesMax} (${fillPercent.toFixed(1)} %)`],
    ['fills in', capacityMs === undefined ? 'not known yet' : `${(capacityMs / 86_400_000).toFixed(1)} days`],
    ['records expired', status.expired],
    ['records aggregated', status.aggregated],
    ['records sent again', status.replayed],
    ['records refused', status.refused],
    ['dead letters kept', deadLetters],
    ['dead letters dropped', status.deadLettersDropped],
    ['times the disk was full', status.diskFull],
  ];
  return `${damageText(damage)}${table(rows)}`;
}

export function deadLettersText(outbox: Outbox, asJson: boolean): string {
  const letters = outbox.deadLetters(DEAD_LETTERS_MAX);
  if (asJson)
    return json(
      letters.map(({ epoch, id, code, samples }) => ({
        epoch,
        id,
        code,
        samples: samples.map((sample) => ({ ...sample, qualityCode: codeOf(sample.reason) })),
      })),
    );
  if (letters.length === 0) return 'No dead letters.\n';
  return letters
    .map(({ epoch, id, code, samples }) => {
      const rows = samples.map(
        ({ device, metric, value, reason, at }) =>
          `  ${timeText(at)}  ${device}/${metric}  ${value ?? '–'}  ${reason}\n`,
      );
      return `${epoch} ${id} ${code}\n${rows.join('')}`;
    })
    .join('');
}
