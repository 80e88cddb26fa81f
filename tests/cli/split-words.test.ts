import { expect, test } from 'vitest';
import { splitWords } from '../../src/cli/open-pipeline.ts';

test('only a first word that ends in .yaml or .yml is a file', () => {
  expect([
    splitWords(['a/b.yaml', 'train', 'split.test']),
    splitWords(['B.YML']),
    splitWords(['train']),
    splitWords([]),
  ]).toEqual([
    { file: 'a/b.yaml', names: ['train', 'split.test'] },
    { file: 'B.YML', names: [] },
    { file: undefined, names: ['train'] },
    { file: undefined, names: [] },
  ]);
});

test('a lock is refused, and its pipeline named', () => {
  expect(() => splitWords(['a.lock.yaml'])).toThrow('`a.lock.yaml` is a lock, not a pipeline');
});

test('a file after a stage is rejected, not taken for a stage', () => {
  expect(() => splitWords(['train', 'a.yaml'])).toThrow('`a.yaml` is a file, and a stage is expected there');
});
