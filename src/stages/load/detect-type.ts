import { open } from 'node:fs/promises';
import type { LoadConfig } from '../../generated/load-config.ts';

const looksAtBytes = 64 * 1024;

/**
 * How a file's rows are written, by its content alone: the result of a stage depends on contents, never on names, so
 * the ending of the file's name must not decide.
 */
export async function detectType(path: string): Promise<Exclude<LoadConfig['type'], 'auto'>> {
  const beginning = (await firstBytes(path))
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (beginning.startsWith('[')) return 'json';
  if (beginning.startsWith('{')) return 'jsonl';
  const [firstLine = ''] = beginning.split('\n', 1);
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
