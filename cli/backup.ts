// `oftob backup`: a copy of the server's databases while it goes on.
import { doorOf, parseJson } from '#contract/door.js';
import { BackupResponseSchema } from '#contract/http.js';
import { type Command, done } from './command.js';
import { askServer, foreignAnswer, SERVER_OPTION, serverUrl } from './server-door.js';

const ANSWER_BYTES_MAX = 64 * 1024;
const CODES = { unreachable: 'BACKUP_SERVER_UNREACHABLE', foreign: 'BACKUP_SERVER_FOREIGN' };
const answerDoor = doorOf(BackupResponseSchema);

export const backup: Command = {
  name: 'backup',
  summary: 'Has the server copy its databases into a folder beside them, while it goes on.',
  usage: '[--server URL]',
  options: [SERVER_OPTION],
  example: 'oftob backup',
  async run(options) {
    const url = serverUrl(options, '/backups');
    if (!url.ok) return url;
    const asked = await askServer(url.value, { method: 'POST' }, CODES);
    if (!asked.ok) return asked;
    const made = parseJson(answerDoor, Buffer.from(await asked.value.arrayBuffer()), ANSWER_BYTES_MAX);
    if (!made.ok) return foreignAnswer(url.value, asked.value.status, CODES.foreign);
    const { files, folder } = made.value;
    const rows = files.map(({ bytes, name }) => `  ${name.padEnd(20)}${bytes} bytes\n`);
    process.stdout.write(`Backed up to ${folder} on the server's machine\n${rows.join('')}`);
    return done;
  },
};
