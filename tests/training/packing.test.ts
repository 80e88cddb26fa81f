import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { batchesOf, bestFitRows, type Example } from '../../src/training/batches/batch-plan.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { lossAndGradients } from '../../src/training/gradients.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches, tinyModel } from './tiny-training.ts';

const ofLength = (length: number, place: number): Example => ({
  id: `${place}`,
  inputs: new Int32Array(length),
  targets: new Int32Array(length),
  promptLength: 1,
});
const lengthsOf = (rows: readonly (readonly Example[])[]) =>
  rows.map((row) => row.map(({ inputs }) => inputs.length));

beforeAll(async () => {
  await openTensorBackend({ backend: 'cpu' });
});

describe('examples that share rows', () => {
  it('go, the longest first, into the row with the least room left', () => {
    const rows = bestFitRows([5, 3, 8, 2, 4, 7, 1].map(ofLength), 10);
    expect(lengthsOf(rows)).toEqual([
      [5, 4, 1],
      [3, 7],
      [8, 2],
    ]);
  });

  it('are all packed once, in rows that are not too long', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 60 }), (lengths) => {
        const rows = bestFitRows(lengths.map(ofLength), 20);
        expect(
          rows
            .flat()
            .map(({ id }) => Number(id))
            .sort((a, b) => a - b),
        ).toEqual([...lengths.keys()]);
        const sums = rows.map((row) => row.reduce((sum, { inputs }) => sum + inputs.length, 0));
        expect(Math.max(0, ...sums)).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('stay together in every epoch, in another order', () => {
    const recipe = { batchSize: 1, packedLength: 12, shuffle: true, dropLast: false, seed: 4 };
    const groups = (epoch: number) =>
      batchesOf({ examples: countingExamples(20), recipe, epoch }).map((group) =>
        group.map(({ id }) => id).join(' '),
      );
    expect(groups(1)).not.toEqual(groups(2));
    expect([...groups(1)].sort()).toEqual([...groups(2)].sort());
  });

  it('have the loss of every token that they have alone', async () => {
    const model = await openLanguageModel(tinyModel);
    const examples = countingExamples(9);
    const recipe = { batchSize: 2, packedLength: 14, shuffle: false, dropLast: false, seed: 0 };
    const measure = async (group: readonly Example[], rowsMultipleOf: number) => {
      const layout = {
        endOfText: 59,
        paddingFree: true,
        multipleOf: 8,
        rowsMultipleOf,
        microBatchSize: undefined,
      };
      const batch = splitBatch(group, layout);
      const { loss } = await lossAndGradients(model, batch);
      return { sum: loss * batch.targetCount, count: batch.targetCount };
    };
    const [group = []] = batchesOf({ examples, recipe, epoch: 1 });
    const together = await measure(group, 8);
    const alone = [];
    for (const example of group) alone.push(await measure([example], 1));
    model.dispose();
    expect(group.length).toBeGreaterThan(3);
    expect(together.count).toBe(alone.reduce((sum, { count }) => sum + count, 0));
    expect(together.sum).toBeCloseTo(
      alone.reduce((total, { sum }) => total + sum, 0),
      4,
    );
  });

  it('are trained together, as many steps as there are batches of rows', async () => {
    await using training = await TinyTraining.create();
    const recipe = { batchSize: 2, packedLength: 12, shuffle: true, dropLast: false, seed: 4 };
    const batches = await tinyBatches({ recipe });
    const { history } = await training.run({ batches, config: { ...plainConfig, epochs: 1 } });
    const steps = history.flatMap((entry) => (entry.type === 'step' ? [entry.tokens] : []));
    const total = batches.examples.reduce((sum, { inputs }) => sum + inputs.length, 0);
    expect({ steps: steps.length, tokens: steps.at(-1) }).toEqual({ steps: 3, tokens: total });
    await expect(
      training.run({ batches, config: { ...plainConfig, padding_free: false } }),
    ).rejects.toMatchObject({ code: 'packing-needs-padding-free' });
  });
});
