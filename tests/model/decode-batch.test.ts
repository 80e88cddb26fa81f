import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type DecodingRow, decodeBatch } from '../../src/model/generation/decode-batch.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
const prompt = [7, 8, 9, 10, 11];
const others = [[1], [60, 59, 58, 57], [2, 2, 2, 2, 2, 2, 2, 2], [33], [4, 5]];
const written = [3, 1, 4, 1, 5, 9, 2, 6];

describe.each<TensorBackendName>(['cpu', 'onnx'])('on the %s backend', (backend) => {
  test.each(['tiny-gpt2', 'tiny-llama'])(
    "every bit of a row's logits in %s is the same in whatever place of the batch, beside whatever rows",
    async (name) => {
      await openTensorBackend({ backend });
      const model = await openLanguageModel(fixture(name));
      const alone = await logitsOf({ model, place: 0, neighbours: [] });
      expect(alone).toHaveLength(written.length);
      for (const place of [0, 1, 2, 3, 4, 5])
        expect(await logitsOf({ model, place, neighbours: others })).toEqual(alone);
      model.dispose();
    },
  );
});

interface Placing {
  readonly model: LanguageModel;
  readonly place: number;
  readonly neighbours: readonly (readonly number[])[];
}

/** The logits that a row of a batch of six sees while it writes given tokens. */
async function logitsOf({ model, place, neighbours }: Placing): Promise<Float32Array[]> {
  const seen: Float32Array[] = [];
  const next = (logits: Float32Array) => {
    seen.push(logits.slice());
    return written[seen.length]; // none after the last: the row has ended
  };
  const rows = Array.from({ length: 5 }, (_, index): DecodingRow => {
    const ids = neighbours[index] ?? [0];
    let left = ids.length; // some end early, some late
    return { prompt: Int32Array.from(ids), next: () => (left-- > 0 ? ids.length : undefined) };
  });
  rows.splice(place, 0, { prompt: Int32Array.from(prompt), next });
  await decodeBatch({ model, rows, length: 24, signal: new AbortController().signal });
  return seen;
}
