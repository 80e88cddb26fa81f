import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('a plan says what would run, why, and how long it took last time', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.tuneloom('plan')).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "data: 1 stage would run, 4 may follow
      load      runs: it has not run before
      format    waits for load
      split     waits for format
      tokenize  waits for split
      collate   waits for tokenize",
    }
  `);
  await rig.tuneloom('run');
  expect(await rig.tuneloom('plan')).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "data: nothing would run; 5 stages up to date",
    }
  `);
  expect(
    await rig.tuneloom('plan', '--set', 'stages.format.with.template=alpaca-stanford'),
  ).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "data: 1 stage would run, 3 may follow
      1 stage reused: load
      format    runs: \`with.template\` changed from "alpaca" to "alpaca-stanford"
                (last time <time>)
      split     waits for format (last time <time>)
      tokenize  waits for split (last time <time>)
      collate   waits for tokenize (last time <time>)",
    }
  `);
});

test('plan --check ends with 3 if anything would run', async () => {
  await using rig = await openCliRig(dataProject);
  const before = await rig.tuneloom('plan', '--check', '--json');
  await rig.tuneloom('run');
  const after = await rig.tuneloom('plan', '--check', '--json');
  expect(
    [before, after].map(({ exitCode, stdout }) => [exitCode, JSON.parse(stdout).stages.map(decisionOf)]),
  ).toEqual([
    [3, ['run', 'undecided', 'undecided', 'undecided', 'undecided']],
    [0, ['reuse', 'reuse', 'reuse', 'reuse', 'reuse']],
  ]);
});

const decisionOf = ({ decision }: { decision: string }) => decision;

test('explain shows each field that differs, with its line', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.tuneloom('explain', 'collate')).stdout).toMatchInlineSnapshot(
    `"collate waits for tokenize; it has not run before"`,
  );
  await rig.tuneloom('run');
  expect((await rig.tuneloom('explain', 'collate')).stdout).toMatchInlineSnapshot(
    `"collate would be reused: nothing differs from its past run"`,
  );
  const edited = dataProject['data.yaml']
    .replace('length: 64', 'length: 32')
    .replace('batch_size: 2', 'batch_size: 4');
  await rig.write('data.yaml', edited);
  expect((await rig.tuneloom('explain', 'collate')).stdout).toMatchInlineSnapshot(`
    "collate would run: compared with <date> UTC, this differs:

      with.batch_size  data.yaml:18
        was  2
        is   4

      with.max_length  data.yaml:3
        was  64
        is   32"
  `);
  await rig.write('rows.jsonl', dataProject['rows.jsonl'].replace('fox', 'ram'));
  expect((await rig.tuneloom('explain', 'load')).stdout).toMatchInlineSnapshot(`
    "load would run: compared with <date> UTC, this differs:

      with.records  data.yaml:6
        was  sha256:0c33a551ce6d
        is   sha256:6f906feeabc9"
  `);
  expect((await rig.tuneloom('explain', 'collate')).stdout).toMatchInlineSnapshot(`
    "collate waits for tokenize; this differs already:

      with.batch_size  data.yaml:18
        was  2
        is   4

      with.max_length  data.yaml:3
        was  64
        is   32"
  `);
});

test('explain --json gives each difference with file and line', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  const { stdout } = await rig.tuneloom('explain', 'collate', '-p', 'length=32', '--json');
  const { key, ...explained } = JSON.parse(stdout);
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  expect(explained).toMatchInlineSnapshot(`
    {
      "compared_with": {
        "run": "<run>",
        "stage": "collate",
        "started_at": "<date>",
      },
      "decision": "run",
      "differences": [
        {
          "after": 32,
          "before": 64,
          "field": "with.max_length",
          "file": "data.yaml",
          "kind": "config",
          "line": 18,
        },
      ],
      "reason": "\`with.max_length\` changed from 64 to 32",
      "stage": "collate",
    }
  `);
});

test('a plan shows a training’s memory if its model and its batches are cached', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': '{"text":"one two"}\n{"text":"three"}\n',
    'tiny.yaml': `name: tiny
stages:
  base: { uses: load, with: { init: { context_length: 64, width: 8, layers: 1, heads: 2, encoding: r50k_base } } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: completion } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 64 } }
  train: { from: { model: base, train: collate }, with: { epochs: 1, sample: { max_new_tokens: 0 } } }
`,
  });
  const planned = async () => {
    const { stages } = JSON.parse((await rig.tuneloom('plan', '--json')).stdout);
    return stages.find(({ stage }: { stage: string }) => stage === 'train').expected_memory;
  };
  expect(await planned()).toBeUndefined();
  await rig.tuneloom('run', 'base', 'collate');
  const before = await planned();
  expect((await rig.tuneloom('plan')).stdout).toMatch(
    /train +runs: it has not run before \(about \d\.\d GB of memory\)/,
  );
  const { stdout } = await rig.tuneloom('run', '--json');
  const events: unknown[] = stdout.split('\n').map((line) => JSON.parse(line));
  expect(JSON.stringify(events)).toContain(`"expected_memory":${before}`);
});
