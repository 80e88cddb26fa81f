import { expect, test } from 'vitest';
import { batchRows } from '../../src/cli/show/show-batches.ts';

const example = (id: string, inputs: readonly number[], targets: readonly number[]) => ({
  id,
  inputs: Int32Array.from(inputs),
  targets: Int32Array.from(targets),
  promptLength: 0,
});

test('a row is the first input and every target, split into trained and masked runs, and its padding', () => {
  const rows = batchRows([
    example('all', [1, 2, 3, 4], [2, 3, 4, 50256]),
    example('response', [5, 6, 7], [-100, 7, 50256]),
    example('nothing', [8, 9], [-100, -100]),
  ]);
  expect(rows).toEqual([
    {
      id: 'all',
      runs: [
        { kind: 'masked', tokens: [1] },
        { kind: 'trained', tokens: [2, 3, 4, 50256] },
      ],
      padding: 0,
    },
    {
      id: 'response',
      runs: [
        { kind: 'masked', tokens: [5, 6] },
        { kind: 'trained', tokens: [7, 50256] },
      ],
      padding: 1,
    },
    { id: 'nothing', runs: [{ kind: 'masked', tokens: [8, 9] }], padding: 2 },
  ]);
});
