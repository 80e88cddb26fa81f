import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import type { Example } from '../../src/training/batches/batch-plan.ts';
import { type BatchLayout, packBatch, splitBatch } from '../../src/training/batches/micro-batch.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { gradientsOnHost } from './gradients-on-host.ts';
import { tinyModel } from './tiny-training.ts';

const endOfText = 30;
const fixture = (name: string) => join(import.meta.dirname, '../fixtures/model/families', name);

/** Examples of these lengths; in every second one only the last targets are unmasked, in that of length 4 none. */
const examplesOf = (lengths: readonly number[]): readonly Example[] =>
  lengths.map((length, row) => {
    const inputs = Int32Array.from({ length }, (_, place) => (7 * row + 3 * place + 1) % 30);
    const learned = length === 4 ? length : row % 2 === 1 ? Math.floor(length / 2) : 0;
    const targets = Int32Array.from([...inputs.slice(1), endOfText], (target, place) =>
      place < learned ? -100 : target,
    );
    return { id: `${row}`, inputs, targets, promptLength: 1 };
  });

describe('a packed batch', () => {
  it('holds its tokens one after the other, with the slot in which attention sees each', () => {
    expect(packBatch(examplesOf([3, 2]), { endOfText, multipleOf: 2 })).toEqual({
      layout: 'packed',
      rows: 2,
      length: 4,
      inputs: Int32Array.from([1, 4, 7, 8, 11, 30, 30, 30]),
      targets: Int32Array.from([4, 7, 30, -100, 30, -100, -100, -100]),
      positions: Int32Array.from([0, 1, 2, 0, 1, 0, 0, 0]),
      textLengths: Int32Array.from([3, 3, 3, 2, 2, 1, 1, 1]),
      tokenOfSlot: Int32Array.from([0, 1, 2, 5, 3, 4, 5, 5]),
      slotOfToken: Int32Array.from([0, 1, 2, 4, 5, 3, 3, 3]),
      tokens: 5,
      targetCount: 4,
    });
  });

  it('has room for a filler token and an empty slot, however well its examples fit', () => {
    const { inputs, length } = packBatch(examplesOf([8, 8, 8, 8]), { endOfText, multipleOf: 4 });
    expect({ tokens: inputs.length, length }).toEqual({ tokens: 40, length: 12 });
  });
});

const lengths = [9, 2, 12, 1, 7, 4, 8];
const models = {
  gpt2: tinyModel,
  ...Object.fromEntries(
    ['qwen2', 'mistral', 'phi3-longrope', 'llama-dynamic'].map((name) => [name, fixture(name)]),
  ),
};

describe.each(backendsUnderTest)('on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  const measure = async (model: string, layout: Partial<BatchLayout>) => {
    const opened = await openLanguageModel(model);
    const batch = splitBatch(examplesOf(lengths), { endOfText, microBatchSize: undefined, ...layout });
    const measured = await gradientsOnHost(opened, batch);
    opened.dispose();
    return measured;
  };

  it.each(Object.entries(models))(
    'a batch without padding has the loss and the gradients of the padded one (%s)',
    async (_, model) => {
      const padded = await measure(model, { paddingFree: false });
      for (const multipleOf of [1, 8]) {
        const packed = await measure(model, { paddingFree: true, multipleOf, rowsMultipleOf: multipleOf });
        expect(Math.abs(packed.loss - padded.loss)).toBeLessThan(1e-6);
        // Products of other sizes are summed in another order.
        expect(furthest(packed.gradients, padded.gradients)).toBeLessThan(2e-6);
      }
    },
  );

  it.each([true, false])(
    'a batch in micro-batches has the loss and the gradients of the whole, whatever is masked (without padding: %s)',
    async (paddingFree) => {
      const whole = await measure(tinyModel, { paddingFree });
      for (const microBatchSize of [1, 3, 5]) {
        const split = await measure(tinyModel, { paddingFree, microBatchSize });
        expect(Math.abs(split.loss - whole.loss)).toBeLessThan(1e-6);
        expect(furthest(split.gradients, whole.gradients)).toBeLessThan(1e-6);
      }
    },
  );
});

type Gradients = ReadonlyMap<string, Float32Array>;

/** The largest difference between two sets of gradients, as a share of the largest gradient. */
function furthest(ours: Gradients, theirs: Gradients): number {
  expect([...ours.keys()]).toEqual([...theirs.keys()]);
  const all = [...theirs.values()].flatMap((values) => [...values]);
  const largest = Math.max(...all.map(Math.abs));
  const mine = [...ours.values()].flatMap((values) => [...values]);
  return Math.max(...mine.map((value, index) => Math.abs(value - (all[index] ?? Number.NaN)))) / largest;
}
