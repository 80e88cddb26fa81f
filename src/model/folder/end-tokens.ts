import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject } from '../../core/index.ts';
import { readJsonFile } from '../../formats/index.ts';

const generationConfig = 'generation_config.json';

/** The ids that end a model's answer, often several: `eos_token_id` of generation_config.json, else of config.json. */
export async function readEndTokens(folder: string): Promise<readonly number[]> {
  for (const name of [generationConfig, 'config.json']) {
    const ids = endTokensIn(await objectIn(join(folder, name)));
    if (ids.length > 0) return ids;
  }
  return [];
}

/**
 * Adds ids to those that end a model's answer, in generation_config.json, which every program reads. A model that has
 * none yet gets the fields that transformers would take from its config.json.
 */
export async function addEndTokens(folder: string, added: readonly number[]): Promise<void> {
  const own = await readEndTokens(folder);
  const ids = [...new Set([...own, ...added])];
  if (ids.length === own.length) return;
  const path = join(folder, generationConfig);
  const written = await objectIn(path);
  const { bos_token_id, pad_token_id } = await objectIn(join(folder, 'config.json'));
  const inherited = {
    ...(bos_token_id != null && { bos_token_id }),
    ...(pad_token_id != null && { pad_token_id }),
  };
  const fields = Object.keys(written).length > 0 ? written : inherited;
  const [only, ...others] = ids;
  const eos_token_id = others.length === 0 ? only : ids;
  // A copy from the store is read-only.
  await rm(path, { force: true });
  await writeFile(path, `${JSON.stringify({ ...fields, eos_token_id }, undefined, 2)}\n`);
}

/** Empty unless the file is a JSON object: config.json has been checked before, and the other file is optional. */
async function objectIn(path: string): Promise<JsonObject> {
  const json = await readJsonFile(path).catch(() => undefined);
  return isObject(json) ? json : {};
}

const endTokensIn = ({ eos_token_id: given = [] }: JsonObject): readonly number[] =>
  [given]
    .flat()
    .filter((id) => Number.isInteger(id) && Number(id) >= 0)
    .map(Number);
