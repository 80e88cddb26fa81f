import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The ids that end a model's answer: `eos_token_id` of its generation_config.json, else of its config.json; often several. */
export async function readEndTokens(folder: string): Promise<readonly number[]> {
  for (const name of ['generation_config.json', 'config.json']) {
    const ids = endTokensIn(await readFile(join(folder, name), 'utf8').catch(() => '{}'));
    if (ids.length > 0) return ids;
  }
  return [];
}

function endTokensIn(text: string): readonly number[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return []; // config.json was read before; the other is not needed
  }
  const given = typeof json === 'object' && json !== null && 'eos_token_id' in json ? json.eos_token_id : [];
  return [given]
    .flat()
    .filter((id) => Number.isInteger(id) && Number(id) >= 0)
    .map(Number);
}
