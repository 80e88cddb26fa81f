import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../../user-error.ts';
import { checkNesting } from './check-nesting.ts';
import { parseJsonFile } from './parse-json-file.ts';

/** Many times what the largest models' have. */
const mostBytes = 32_000_000;

/** The value of a model folder's JSON file, undefined where there is none. Throws a UserError where it is no JSON, or too large. */
export async function readJsonFile(path: string): Promise<unknown> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  if (!found.isFile() || found.size > mostBytes) {
    const what = found.isFile()
      ? `has ${found.size} bytes, more than the ${mostBytes} allowed`
      : 'is no file';
    throw new UserError({ code: 'bad-model-folder', message: `${path} ${what}` });
  }
  const bytes = await readFile(path);
  checkNesting(bytes, (what) => new UserError({ code: 'bad-model-folder', message: `${path} ${what}` }));
  return parseJsonFile(path, bytes.toString('utf8'));
}
