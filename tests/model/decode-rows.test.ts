import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RandomStream } from '../../src/core/random-stream.ts';
import { elementCount } from '../../src/formats/safetensors/floats.ts';
import { writeModelFolder } from '../../src/model/folder/model-folder.ts';
import { type DecodingRow, decodeRows } from '../../src/model/generation/decode.ts';
import { type LanguageModel, openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { parameterLayout, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend, type TensorBackendName, type WeightPrecision } from '../../src/tensor/index.ts';
import { backendsUnderTest } from '../backends-under-test.ts';

const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model', name);
const prompt = Int32Array.of(7, 8, 9, 10, 11);
const written = [3, 1, 4, 1, 5, 9, 2, 6];
const others: readonly DecodingRow[] = [[1], [60, 59, 58, 57], [2, 2, 2, 2, 2, 2, 2, 2], [33], [4, 5]].map(
  (ids) => ({ prompt: Int32Array.from(ids), next: writer(ids).next }),
);

const heads = (count: number, keyValueHeads: number) => ({
  num_attention_heads: count,
  num_key_value_heads: keyValueHeads,
});

const llamas = {
  // No size is a multiple of a vector's, so rows start at any address.
  'a Llama of odd sizes': { hidden_size: 30, intermediate_size: 53, ...heads(3, 1) },
  // Heads that backends have a kernel for.
  'a Llama with heads of eight': { hidden_size: 48, intermediate_size: 53, ...heads(6, 2) },
};

const ways: readonly (readonly [TensorBackendName, WeightPrecision | 'as they are'])[] =
  backendsUnderTest.flatMap((backend) => [
    [backend, 'as they are'],
    ...(backend === 'onnx' ? [['onnx', 'float32'] as const] : []),
    [backend, 'int8'],
  ]);

describe.each(ways)('on the %s backend with weights %s', (backend, precision) => {
  test.each(['tiny-gpt2', 'tiny-llama', ...Object.keys(llamas)])(
    "every bit of a row's logits in %s is the same whenever it starts, in whatever place, beside whatever rows",
    async (name) => {
      await openTensorBackend({ backend });
      const model = await openLanguageModel(name in llamas ? join(folder, name) : fixture(name));
      const held = precision === 'as they are' ? undefined : quantizeWeights(model, precision);
      const alone = await logitsOf({ model, before: [], after: [] });
      expect(alone).toHaveLength(written.length + 1);
      for (const at of [0, 1, 2, 3, 4, 5]) {
        const queue = { model, before: others.slice(0, at), after: others.slice(at) };
        expect(await logitsOf(queue)).toEqual(alone);
      }
      held?.[Symbol.dispose]();
      model.dispose();
    },
  );
});

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'llamas-'));
  for (const [name, sizes] of Object.entries(llamas)) await writeLlama(join(folder, name), sizes);
});
afterAll(() => rm(folder, { recursive: true }));

async function writeLlama(path: string, sizes: Readonly<Record<string, number>>): Promise<void> {
  const config = parseModelConfig('made up', {
    ...{ model_type: 'llama', vocab_size: 61, max_position_embeddings: 24, num_hidden_layers: 2 },
    ...sizes,
  });
  const random = new RandomStream(['made-up llama']);
  const read = (name: string) =>
    Float32Array.from(
      { length: elementCount(parameterLayout(config).get(name)?.shape ?? []) },
      () => random.normal() / 5,
    );
  await mkdir(path);
  await writeModelFolder(path, { config, read });
}

test('rows are yielded as they end, each once, including those that write nothing', async () => {
  await openTensorBackend({ backend: 'cpu' });
  const model = await openLanguageModel(fixture('tiny-gpt2'));
  const lengths = [3, 0, 1, 0, 2];
  const rows = lengths.map((length) => ({ length, prompt, next: writer(new Array(length).fill(1)).next }));
  const ended: number[] = [];
  for await (const { length } of decodeRows({ model, rows, ...settings, batchSize: 2 })) ended.push(length);
  // 3 and 1 start; 1 ends, and 0 and 2 take its place; 3 ends in the same step as 2.
  expect(ended).toEqual([0, 1, 0, 3, 2]);
  model.dispose();
});

const settings = {
  // Prompts wait for others of their length; the one under test is prefilled with one of the others.
  paddedLength: (tokens: number) => 4 * Math.ceil(tokens / 4),
  slots: 20,
  batchSize: 3,
  signal: new AbortController().signal,
};

interface Queue {
  readonly model: LanguageModel;
  readonly before: readonly DecodingRow[];
  readonly after: readonly DecodingRow[];
}

/** The logits of a row that writes given tokens and waits for its turn among others. */
async function logitsOf({ model, before, after }: Queue): Promise<readonly Float32Array[]> {
  const { next, seen } = writer(written);
  const rows = [...before, { prompt, next }, ...after];
  const decoding = decodeRows({ model, rows, ...settings });
  while (!(await decoding.next()).done);
  return seen.slice();
}

/** Writes the given tokens, whatever the logits, then ends and is ready to write them again. */
function writer(tokens: readonly number[]) {
  const seen: Float32Array[] = [];
  let done = 0;
  const next = (logits: Float32Array): number | undefined => {
    seen.push(logits.slice());
    const token = tokens[done];
    done = token === undefined ? 0 : done + 1;
    return token;
  };
  return { next, seen };
}
