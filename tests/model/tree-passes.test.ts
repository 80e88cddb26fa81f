import { expect, test } from 'vitest';
import { type ChoicesToScore, planTrees } from '../../src/model/generation/token-trees.ts';
import { passesOf, prefixSlots, type TreePass } from '../../src/model/generation/tree-passes.ts';

const { signal } = new AbortController();

/** Contexts of these lengths with a letter to choose, which share nothing. */
function treesOf(lengths: readonly number[]) {
  const choices = lengths.map(
    (length, index): ChoicesToScore => ({
      id: `${index}`,
      context: new Int32Array(length),
      continuations: [Int32Array.of(1)],
      shared: 0,
    }),
  );
  return planTrees(choices, { windows: [undefined], isLengthBound: false });
}

async function passes(lengths: readonly number[], batchSize: number): Promise<readonly TreePass[]> {
  const all: TreePass[] = [];
  for await (const pass of passesOf(treesOf(lengths), { batchSize, signal })) all.push(pass);
  return all;
}

const tokensOf = ({ planned }: TreePass) => planned.reduce((sum, { tree }) => sum + tree.ids.length, 0);

const everyLength = Array.from({ length: 700 }, (_, index) => index + 1);

test.each([1, 2, 8, 32])(
  'with a batch size of %i every tree is in one pass that holds it',
  async (batchSize) => {
    const all = await passes(everyLength, batchSize);
    const ids = all.flatMap(({ planned }) => planned.map(({ id }) => Number(id)));
    expect(ids.sort((a, b) => a - b)).toEqual(everyLength.map((length) => length - 1));
    for (const pass of all) {
      const { tokens, rows, slots } = pass.shape;
      expect(tokensOf(pass)).toBeLessThanOrEqual(tokens);
      expect(pass.planned.length).toBeLessThanOrEqual(rows);
      expect(Math.max(...pass.planned.map(({ tree }) => tree.ids.length))).toBeLessThanOrEqual(slots);
      expect(tokens).toBeLessThanOrEqual(Math.min(batchSize, rows) * slots);
    }
  },
);

test("a pass's shape follows from its trees' slots alone", async () => {
  const shapeOf = async (lengths: readonly number[]) => (await passes(lengths, 8)).map(({ shape }) => shape);
  const [alone] = await shapeOf([70]);
  expect(await shapeOf([66, 70, 128])).toEqual([alone]);
  expect(alone).toEqual({ tokens: 384, rows: 5, slots: 128 });
});

test('questions as long as those of MMLU leave less than a tenth of the passes empty', async () => {
  const lengths = Array.from({ length: 246 }, (_, index) => 40 + (index % 64));
  const all = await passes(lengths, 8);
  const [filled, computed] = [
    all.reduce((sum, pass) => sum + tokensOf(pass), 0),
    all.reduce((sum, { shape }) => sum + shape.tokens, 0),
  ];
  expect(filled / computed).toBeGreaterThan(0.9);
});

test('a cached prefix is padded by less than a quarter', () => {
  for (let tokens = 32; tokens < 3000; tokens++) {
    const slots = prefixSlots(tokens);
    expect(slots).toBeGreaterThanOrEqual(tokens);
    expect(slots).toBeLessThan(1.25 * tokens);
  }
});
