import { open } from 'node:fs/promises';
import type { LoadConfig } from '../../generated/load-config.ts';

const looksAtBytes = 64 * 1024;

/**
 * How a file's rows are written, by its content alone: the result of a stage depends on contents, never on names, so
 * the ending of the file's name must not decide.
 */
export async function detectType(path: string): Promise<Exclude<LoadConfig['type'], 'auto'>> {
  const bytes = await firstBytes(path);
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const beginning = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (beginning.startsWith('[')) return 'json';
  const [firstLine = '', ...more] = beginning.split('\n', 2);
  if (beginning.startsWith('{')) return more.length === 0 || isJson(firstLine) ? 'jsonl' : 'json';
  return firstLine.includes('\t') ? 'tsv' : 'csv';
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(looksAtBytes), position: 0 });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** An object that goes on in the next line is a JSON file of its own. */
function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
