import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchRecipe, batchesOf, type Example } from '../../src/training/batches/batch-plan.ts';
import { padBatch } from '../../src/training/batches/micro-batch.ts';

const inOrder: BatchRecipe = { batchSize: 3, shuffle: false, dropLast: false, seed: 1 };
const endOfText = 50256;

/** The example that collate makes of token ids: shifted by one, with one end of text after them. */
const exampleOf = (tokens: readonly number[], id = tokens.join('-')): Example => ({
  id,
  inputs: Int32Array.from(tokens),
  targets: Int32Array.from([...tokens.slice(1), endOfText]),
  promptLength: 1,
});

const examplesOfLength = (lengths: readonly number[]) =>
  lengths.map((length, index) => exampleOf(Array<number>(length).fill(7), `record-${index}`));

describe('padded batches', () => {
  it("are the reference's: padded with the end of text, whose targets after the first are ignored", () => {
    const examples = [
      [0, 1, 2, 3, 4],
      [5, 6],
      [7, 8, 9],
    ].map((tokens) => exampleOf(tokens));
    expect(padBatch(examples, { endOfText })).toEqual({
      layout: 'padded',
      rows: 3,
      length: 5,
      inputs: Int32Array.from([0, 1, 2, 3, 4, 5, 6, 50256, 50256, 50256, 7, 8, 9, 50256, 50256]),
      targets: Int32Array.from([1, 2, 3, 4, 50256, 6, 50256, -100, -100, -100, 8, 9, 50256, -100, -100]),
      lengths: Int32Array.from([5, 2, 3]),
      tokens: 10,
      targetCount: 10,
    });
  });

  it('are as wide as their longest example, or the next multiple, but no wider than the model’s context', () => {
    const examples = examplesOfLength([5, 9]);
    const lengths = [{}, { multipleOf: 4 }, { multipleOf: 16 }, { multipleOf: 16, maxLength: 10 }].map(
      (padding) => padBatch(examples, { endOfText, ...padding }).length,
    );
    expect(lengths).toEqual([9, 12, 16, 10]);
  });

  it('hold the last, smaller batch unless it is dropped', () => {
    const sizes = (dropLast: boolean) =>
      batchesOf({
        examples: examplesOfLength([1, 1, 1, 1]),
        recipe: { ...inOrder, dropLast },
        epoch: 1,
      }).map(({ length }) => length);
    expect({ kept: sizes(false), dropped: sizes(true) }).toEqual({ kept: [3, 1], dropped: [3] });
  });

  const order = (recipe: Partial<BatchRecipe>, epoch: number, count = 20) =>
    batchesOf({
      examples: examplesOfLength(Array<number>(count).fill(1)),
      recipe: { ...inOrder, ...recipe },
      epoch,
    })
      .flat()
      .map(({ id }) => id)
      .join();

  it('take every example once an epoch, in an order of seed and epoch alone', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(50), fc.integer({ min: 1, max: 40 }), (seed, epoch, count) => {
        const shuffled = order({ shuffle: true, seed }, epoch, count);
        expect(shuffled).toBe(order({ shuffle: true, seed, batchSize: 7 }, epoch, count));
        expect(shuffled.split(',').sort()).toEqual(order({}, epoch, count).split(',').sort());
      }),
      { numRuns: 50 },
    );
  });

  it('come in another order with another seed and in another epoch', () => {
    const orders = [
      order({ shuffle: true }, 1),
      order({ shuffle: true }, 2),
      order({ shuffle: true, seed: 2 }, 1),
    ];
    expect(new Set([...orders, order({}, 1)]).size).toBe(4);
  });

  it('keep the order of the records if they are not shuffled', () => {
    expect(order({}, 1, 4)).toBe('record-0,record-1,record-2,record-3');
  });

  it('start each position of a shuffled order with every example about equally often', () => {
    const firsts = Array.from(
      { length: 3000 },
      (_, seed) => order({ shuffle: true, seed }, 1, 3).split(',')[0],
    );
    const counts = ['record-0', 'record-1', 'record-2'].map(
      (id) => firsts.filter((first) => first === id).length,
    );
    // Three standard deviations of a fair draw: 3 sqrt(3000 * 1/3 * 2/3).
    expect(counts.every((count) => Math.abs(count - 1000) < 78)).toBe(true);
  });
});
