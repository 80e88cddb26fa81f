import type { Projected } from '../forward-pass.ts';
import type { LanguageModel } from '../language-model.ts';
import { paddedRows } from '../padded-rows.ts';
import { type LayerKeyValues, type PassInput, readPass } from './read-pass.ts';

export interface PromptsToRead {
  readonly model: LanguageModel;
  /** At most B, of at most T tokens each. */
  readonly prompts: readonly Int32Array[];
  /** Rows of the pass, B: those without a prompt are computed and thrown away. */
  readonly batch: number;
  /** Prompts are padded to this length, T. */
  readonly length: number;
}

/** What a model knows of a prompt after reading it. */
export interface ReadPrompt {
  /** After its last token, [V]. */
  readonly logits: Float32Array;
  /** Of its own tokens, [N, K D] for each layer. */
  readonly layers: readonly LayerKeyValues[];
}

/** One pass over prompts, each a row that knows nothing of the others. */
export async function readPrompts({
  model,
  prompts,
  batch,
  length,
}: PromptsToRead): Promise<readonly ReadPrompt[]> {
  const ids = new Int32Array(batch * length);
  for (const [row, prompt] of prompts.entries()) ids.set(prompt, row * length);
  const lengths = Int32Array.from({ length: batch }, (_, row) => prompts[row]?.length ?? 1);
  const pass = (): PassInput => {
    const rows = paddedRows(model.config, { ids, batch, length, lengths });
    const attend = (projected: Projected) => ({ attended: rows.attend(projected), isStored: false });
    return { ...rows, attend, wanted: lengths.map((tokens, row) => row * length + tokens - 1) };
  };
  const { logits, fresh } = await readPass(model, pass);
  return prompts.map((prompt, row) => {
    const ownRows = { from: row * length, to: row * length + prompt.length, of: batch * length };
    const layers = fresh.map(({ layer, keys, values }) => ({
      layer,
      keys: rowsOf(keys, ownRows),
      values: rowsOf(values, ownRows),
    }));
    return { logits: rowsOf(logits, { from: row, to: row + 1, of: batch }), layers };
  });
}

/** Some of an array's `of` rows, in place. */
function rowsOf(
  array: Float32Array,
  { from, to, of }: { readonly from: number; readonly to: number; readonly of: number },
): Float32Array {
  const width = array.length / of;
  return array.subarray(from * width, to * width);
}
