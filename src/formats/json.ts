import { readFile, stat } from 'node:fs/promises';
import { type Json, UserError } from '../core/index.ts';
import { parseJson } from './json-fault.ts';

/** Many times the size of the largest models' files. */
const mostBytes = 32_000_000;

/** The value of a model folder's JSON file, undefined if there is none. Throws a UserError if it is not JSON or too large. */
export async function readJsonFile(path: string): Promise<Json | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > mostBytes) {
    const what = found.isFile()
      ? `has ${found.size} bytes, more than the ${mostBytes} allowed`
      : 'is not a file';
    throw new UserError({ code: 'bad-model-folder', message: `${path} ${what}` });
  }
  const bytes = await readFile(path);
  checkNesting(bytes, (what) => new UserError({ code: 'bad-model-folder', message: `${path} ${what}` }));
  return parseJson(bytes.toString('utf8'), { path, code: 'bad-model-folder' });
}

/** Three times what the largest checkpoints need, at three containers per tensor. */
const mostContainers = 1_000_000;
const [list, map] = [0x5b, 0x7b];

/** Throws if JSON has more lists and maps than any model's, because parsed they take thirty times the memory of the text. */
export function checkNesting(json: Uint8Array, failure: (what: string) => Error): void {
  let containers = 0;
  for (const byte of json) if (byte === list || byte === map) containers++;
  if (containers > mostContainers)
    throw failure(`has ${containers} lists and maps, more than the ${mostContainers} allowed`);
}
