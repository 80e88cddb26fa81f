import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../user-error.ts';

const dataFile = /\.(jsonl?|ndjson|csv|tsv|parquet)$/i;

/** The file itself, or the files of rows that stand in a folder, in the order of their names. */
export async function dataFiles(path: string): Promise<readonly string[]> {
  const found = await stat(path);
  if (found.isFile()) return [path];
  const names = found.isDirectory() ? (await readdir(path)).filter((name) => dataFile.test(name)).sort() : [];
  if (names.length > 0) return names.map((name) => join(path, name));
  throw new UserError({
    code: 'not-a-file',
    message: `${path} is no file, and no folder that holds JSON, JSONL, CSV, TSV or Parquet files`,
    help: 'give the path of a file of rows, or of a folder of them',
  });
}
