import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../terminal/format-number.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import type { Shown, ShowSource } from './shown.ts';

const MOST_BYTES = 4000;

/** A file's beginning, or what a folder holds. */
export async function showFile({ path }: ShowSource): Promise<Shown> {
  const { size } = await stat(path);
  const names = await readdir(path, { recursive: true }).catch(() => undefined);
  if (names === undefined) {
    const text = await beginning(path);
    const rest = size > MOST_BYTES ? `\n(the first ${formatBytes(MOST_BYTES)} of ${formatBytes(size)})` : '';
    return { json: { bytes: size, text }, text: () => `${safeText(text).trimEnd()}${rest}` };
  }
  const entries = await Promise.all(
    names.sort().map(async (name) => ({ name, ...(await describe(join(path, name))) })),
  );
  const files = entries.flatMap(({ name, file, bytes }) => (file ? [{ name, bytes }] : []));
  return {
    json: { files },
    text: () =>
      renderTable({
        rows: files.map(({ name, bytes }) => [safeLine(name), formatBytes(bytes)]),
        align: ['left', 'right'],
        indent: '',
      }),
  };
}

async function describe(path: string): Promise<{ file: boolean; bytes: number }> {
  const entry = await stat(path);
  return { file: entry.isFile(), bytes: entry.size };
}

async function beginning(path: string): Promise<string> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0);
  return buffer.subarray(0, bytesRead).toString('utf8');
}
