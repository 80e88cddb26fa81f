import { constants, copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Small files beside weights and tokenizer, which other programs read, and of which generation_config.json names what ends an answer. */
const companions = new Set([
  'generation_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
]);

/** Copies them from one model's folder to another, those that are there. */
export async function copyCompanions({ from, to }: { from: string; to: string }): Promise<void> {
  for (const name of (await readdir(from)).filter((entry) => companions.has(entry)))
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
}
