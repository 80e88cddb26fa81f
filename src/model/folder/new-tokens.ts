import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../core/index.ts';
import { readJsonFile } from '../../formats/index.ts';

/** The tokens that `load` added to a model's vocabulary, which its original lacks. */
export interface NewTokens {
  /** The rows of the original's embedding. */
  readonly rows: number;
  /** Token -> id. */
  readonly ids: ReadonlyMap<string, number>;
}

const fileName = 'new_tokens.json';

export const writeNewTokens = (folder: string, { rows, ids }: NewTokens): Promise<void> =>
  writeFile(
    join(folder, fileName),
    `${JSON.stringify({ vocab_size: rows, tokens: Object.fromEntries(ids) }, undefined, 2)}\n`,
  );

/** Undefined if a model's folder says of none. */
export async function readNewTokens(folder: string): Promise<NewTokens | undefined> {
  const json = await readJsonFile(join(folder, fileName));
  if (!isObject(json) || typeof json.vocab_size !== 'number' || !isObject(json.tokens)) return undefined;
  const ids = Object.entries(json.tokens).flatMap(([token, id]) =>
    typeof id === 'number' ? [[token, id] as const] : [],
  );
  return { rows: json.vocab_size, ids: new Map(ids) };
}

/** A tuned model has the new tokens of the one that it was tuned from. */
export async function copyNewTokens({ from, to }: { from: string; to: string }): Promise<void> {
  const found = await readNewTokens(from);
  if (found !== undefined) await writeNewTokens(to, found);
}
