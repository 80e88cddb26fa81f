import { describe, expect, test } from 'vitest';
import { filesOfSplit } from '../../src/remote/hub/dataset-split.ts';
import { type HubFile, parseHubAddress } from '../../src/remote/hub/hub-address.ts';
import cases from '../fixtures/dataset-splits/splits.json' with { type: 'json' };
import { firstCommit, openRemoteRig, rowsOf } from './rig/remote-rig.ts';

const file = (path: string): HubFile => ({ path, content: { size: 1, hash: undefined } });

/** The paths that a split of a repository with these files has. */
const found = (paths: readonly string[], split: string, readme?: string): readonly string[] => {
  const address = `hf:datasets/a/b#${split}`;
  const parsed = parseHubAddress(address)?.split;
  if (parsed === undefined) throw new Error(`${address} names no split`);
  return filesOfSplit(paths.map(file), { address, split: parsed, readme }).map(({ path }) => path);
};

describe('without a README that declares them, the files of a split are found by their names', () => {
  test.each<readonly [split: string, paths: readonly string[], files: readonly string[]]>([
    [
      'train',
      [
        'data/train-00000-of-00002.parquet',
        'data/train-00001-of-00002.parquet',
        'data/test-00000-of-00001.parquet',
      ],
      ['data/train-00000-of-00002.parquet', 'data/train-00001-of-00002.parquet'],
    ],
    [
      'train_sft',
      ['data/train_sft-00000-of-00001-6a.parquet', 'data/train_gen-00000-of-00001-7b.parquet'],
      ['data/train_sft-00000-of-00001-6a.parquet'],
    ],
    ['train', ['train.jsonl', 'dev.jsonl'], ['train.jsonl']],
    ['validation', ['train.jsonl', 'dev.jsonl'], ['dev.jsonl']],
    ['test', ['train/a.csv', 'test/a.csv', 'test/b.csv'], ['test/a.csv', 'test/b.csv']],
    ['train', ['rows.json'], ['rows.json']],
    ['de/test', ['de/test.jsonl', 'en/test.jsonl'], ['de/test.jsonl']],
  ])('#%s of %j', (split, paths, files) => {
    expect(found(paths, split)).toEqual(files);
  });
});

const readme = `---
license: mit
configs:
- config_name: main
  default: true
  data_files:
  - split: train
    path: main/part-*
- config_name: socratic
  data_files:
  - { split: train, path: ["socratic/*.jsonl", "**/extra.jsonl"] }
---
# Rows`;

interface Case {
  readonly files: readonly string[];
  readonly splits: Readonly<Record<string, readonly string[]>>;
}

test.each(cases as unknown as readonly Case[])(
  '$files have the splits that the datasets library finds',
  ({ files, splits }) => {
    const names = Object.keys(splits);
    const ours = names.map((split) => [split, [...found(files, split)].sort()]);
    expect(Object.fromEntries(ours)).toEqual(splits);
    for (const other of ['train', 'validation', 'test'].filter((split) => !names.includes(split)))
      expect(() => found(files, other)).toThrow('has no file of rows for the split');
  },
);

describe('a README that declares configurations decides', () => {
  const paths = ['main/part-1.jsonl', 'main/train.jsonl', 'socratic/x.jsonl', 'socratic/extra.jsonl'];

  test('by the default configuration, or by the one that is named', () => {
    expect(found(paths, 'train', readme)).toEqual(['main/part-1.jsonl']);
    expect(found(paths, 'socratic/train', readme)).toEqual(['socratic/x.jsonl', 'socratic/extra.jsonl']);
  });

  test('and where several have no default, one has to be named', () => {
    expect(() => found(paths, 'train', readme.replace('  default: true\n', ''))).toThrow(
      '`hf:datasets/a/b` has 2 configurations: main, socratic',
    );
  });

  test('unless its head is no YAML', () => {
    expect(found(['train.jsonl'], 'train', '---\nconfigs: [}\n---')).toEqual(['train.jsonl']);
  });
});

test.each<readonly [split: string, paths: readonly string[], message: string]>([
  ['test', ['train.jsonl'], '`hf:datasets/a/b` has no file of rows for the split `test`'],
  [
    'train',
    ['train.jsonl', 'test.jsonl', 'more/train.jsonl'],
    '`hf:datasets/a/b#train` is in 2 folders: the root, more',
  ],
  [
    'train',
    ['train-00000-of-00003.parquet', 'train-00002-of-00003.parquet'],
    '`hf:datasets/a/b#train` has 2 of the 3 files that their names count',
  ],
])('#%s of %j is refused', (split, paths, message) => {
  expect(() => found(paths, split)).toThrow(message);
});

test.each([
  'hf:owner/model#train',
  'hf:datasets/a/b#',
  'hf:datasets/a/b:data/*.csv#train',
  'hf:datasets/a/b#x/y/z',
])('%s is no address', (address) => {
  expect(parseHubAddress(address)).toBe(undefined);
});

test('a run downloads the files of a split alone, and a later one uses no network', async () => {
  const commits = {
    [firstCommit]: {
      'README.md': Buffer.from(
        '---\nconfigs:\n- config_name: default\n  data_files:\n  - {split: train, path: data/a-*}\n---\n',
      ),
      'data/a-00000-of-00002.jsonl': rowsOf('one'),
      'data/a-00001-of-00002.jsonl': Buffer.from('{"id":"last","text":"two"}\n'),
      'data/b-00000-of-00001.jsonl': rowsOf('three'),
    },
  };
  const stages = '  load:\n    with: { records: "hf:datasets/owner/rows#train" }\n';
  await using rig = await openRemoteRig(
    { 'datasets/owner/rows': { refs: { main: firstCommit }, commits } },
    stages,
  );
  const first = await rig.tuneloom('run', 'p.yaml');
  expect([first.exitCode, first.all]).toEqual([0, expect.stringContaining('1 stage ran')]);
  const shown = await rig.tuneloom('show', 'p.yaml', 'load');
  expect(shown.all.match(/(?<=text +)\w+$/gm)).toEqual(['one', 'two']);
  expect(await rig.lock()).toContain('"hf:datasets/owner/rows#train": {"revision":');
  const again = await rig.withEnvironment({ HF_ENDPOINT: 'http://127.0.0.1:9' }, 'run', 'p.yaml');
  expect([again.exitCode, again.all]).toEqual([0, expect.stringContaining('nothing had to run')]);
});
