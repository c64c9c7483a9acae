// `oftob backup`: a copy of the server's databases while it goes on.
import { doorOf, parseJson } from '#contract/door.js';
import { API_ROOT, BackupResponseSchema } from '#contract/http.js';
import { type Command, done, fault, textOf } from './command.js';
import { ask } from './export/download.js';

const SERVER = 'http://127.0.0.1:8080';
const ANSWER_BYTES_MAX = 64 * 1024;
const answerDoor = doorOf(BackupResponseSchema);

export const backup: Command = {
  name: 'backup',
  summary: 'Has the server copy its databases into a folder beside them, while it goes on.',
  usage: '[--server URL]',
  options: [{ name: 'server', value: 'URL', meaning: 'the server', preset: SERVER }],
  example: 'oftob backup',
  async run(options) {
    const server = textOf(options, 'server') ?? SERVER;
    if (!/^https?:\/\//.test(server) || !URL.canParse(server))
      return fault('USAGE', `--server must be a URL such as ${SERVER}, not "${server}"`);
    const asked = await ask(new URL(`${API_ROOT}/backups`, server), 'POST');
    if (!asked.ok) return asked;
    const made = parseJson(answerDoor, Buffer.from(await asked.value.arrayBuffer()), ANSWER_BYTES_MAX);
    if (!made.ok) return fault('EXPORT_SERVER_FOREIGN', `${server} answered as no Oftob server does; look at --server`);
    const { files, folder } = made.value;
    const rows = files.map(({ bytes, name }) => `  ${name.padEnd(20)}${bytes} bytes\n`);
    process.stdout.write(`Backed up to ${folder} on the server's machine\n${rows.join('')}`);
    return done;
  },
};
