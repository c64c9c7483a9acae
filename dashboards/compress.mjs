// Writes compressed twins beside built files, so that the server never compresses the same bytes twice.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const TEXT = /\.(html|js|css|svg|json|webmanifest|txt)$/;
/** Below one packet there is nothing to win. */
const BYTES_MIN = 400;

/**
 * Writes `<file>.br` and `<file>.gz` beside every text file of a folder and the folders in it.
 * @param {string} folder
 * @returns {Promise<{ path: string, bytes: number, br: number }[]>} what was compressed, and how small it became
 */
export async function compressFolder(folder) {
  const done = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) done.push(...(await compressFolder(path)));
    else if (TEXT.test(entry.name)) done.push(...(await compressFile(path)));
  }
  return done;
}

/** @param {string} path */
async function compressFile(path) {
  const bytes = await readFile(path);
  if (bytes.length < BYTES_MIN) return [];
  const br = await promisify(brotliCompress)(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  const gz = await promisify(gzip)(bytes, { level: 9 });
  await Promise.all([writeFile(`${path}.br`, br), writeFile(`${path}.gz`, gz)]);
  return [{ path, bytes: bytes.length, br: br.length }];
}
