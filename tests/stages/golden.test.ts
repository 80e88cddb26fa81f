import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { type StageName, stageSchemas } from '../../src/generated/stage-schemas.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { openSandbox } from '../../src/stages/execute/sandbox.ts';
import { writeBatches } from '../../src/stages/ports/batches-file.ts';
import { stageRegistry } from '../../src/stages/registry.ts';
import tinyGpt2 from '../fixtures/model/tiny-gpt2.json' with { type: 'json' };
import { countingExamples, tinyBatches, tinyModel, tinyPairs } from '../training/tiny-training.ts';
import { openStageRig, type RigAction, type StageRig } from './stage-rig.ts';

const root = new URL('../../', import.meta.url);
const fixture = (name: string) => fileURLToPath(new URL(`tests/fixtures/${name}`, root));

interface GoldenRun extends Omit<RigAction, 'config'> {
  /** The stage's schema fills in the defaults. */
  readonly config: JsonObject;
  /** If the stage has another version with this configuration. */
  readonly version?: number;
  /** Output files -> the first 16 digits of their sha256. For a new run, write '' and copy the digest from the failure. */
  readonly digests: Readonly<Record<string, string>>;
}

interface Golden {
  readonly version: number;
  readonly runs: readonly GoldenRun[];
}

const cpu = { backend: 'cpu', threads: 2 };
const generated = (name: string, digest: string, config: JsonObject): GoldenRun => ({
  config: { max_new_tokens: 10, batch_size: 2, ...config },
  inputs: { model: 'gpt2', prompts: 'prompts' },
  outputs: { responses: name },
  resources: cpu,
  digests: { [name]: digest },
});

/**
 * What each stage writes at its version: when bytes change, the version has to change. Stages are in the registry's order,
 * and a run may read what an earlier one wrote or a file of `writeInputs`. Stages that compute with floats run on the cpu
 * backend.
 */
const golden: Readonly<Record<StageName, Golden>> = {
  load: {
    version: 3,
    runs: [
      {
        config: { records: fixture('stages/rows.jsonl') },
        outputs: { records: 'loaded' },
        digests: { loaded: '9c359faa0eb381c2' },
      },
    ],
  },
  concat: {
    version: 1,
    runs: [
      {
        config: {
          sources: [
            { name: 'a', weight: 1.5 },
            { name: 'b', limit: 1 },
          ],
          seed: 0,
        },
        inputs: { a: 'loaded', b: 'loaded' },
        outputs: { records: 'joined' },
        digests: { joined: '9197034f602f353e' },
      },
    ],
  },
  filter: {
    version: 1,
    runs: [
      {
        config: { rules: [{ field: 'instruction', characters: { at_most: 40 } }, { unique: 'normalized' }] },
        inputs: { records: 'loaded' },
        outputs: { records: 'kept', dropped: 'dropped' },
        digests: { kept: '4d76a419549e48c4', dropped: 'ca069628f696d490' },
      },
    ],
  },
  format: {
    version: 3,
    runs: [
      {
        config: { template: 'alpaca' },
        inputs: { records: 'loaded' },
        outputs: { records: 'formatted' },
        digests: { formatted: 'b04d46b3a450fe5b' },
      },
    ],
  },
  split: {
    version: 2,
    runs: [['order', '2290934c8556cf79'] as const, ['hash', 'e2e17317076d71e8'] as const].map(
      ([by, digest]) => ({
        config: { by, parts: [{ train: 0.5 }, { test: 'rest' }] },
        inputs: { records: 'formatted' },
        outputs: { records: { train: `${by}-train`, test: `${by}-test` } },
        digests: { [`${by}-train`]: digest },
      }),
    ),
  },
  tokenize: {
    version: 2,
    runs: [
      {
        config: { encoding: 'r50k_base' },
        inputs: { records: 'formatted' },
        outputs: { tokens: 'tokens' },
        digests: { tokens: '3c2e76883f50e33c' },
      },
    ],
  },
  collate: {
    version: 2,
    runs: [
      {
        config: {
          batch_size: 2,
          max_length: 48,
          too_long: 'truncate',
          train_on: 'response_with_header',
          packing: false,
          shuffle: true,
          drop_last: false,
          seed: 1,
          expect: { trained_token_in_every_example: false, minimum_examples: 0 },
        },
        inputs: { tokens: 'tokens' },
        outputs: { batches: 'batches' },
        digests: { batches: 'df518b54f71ef0ab' },
      },
    ],
  },
  reference: {
    version: 1,
    runs: [
      {
        config: {},
        inputs: { model: 'base', batches: 'pair-batches' },
        outputs: { batches: 'referred' },
        resources: cpu,
        digests: { referred: '268ff1ed53df77d6' },
      },
    ],
  },
  train: {
    version: 5,
    runs: [
      {
        config: { epochs: 1, sample: { max_new_tokens: 3 } },
        inputs: { model: 'base', train: 'train-batches', validation: 'validation-batches' },
        outputs: { model: 'trained', history: 'history' },
        resources: cpu,
        digests: { 'trained/model.safetensors': 'a399f553c17b8825', history: '14901fb5f5053ac3' },
      },
    ],
  },
  generate: {
    version: 3,
    runs: [
      generated('greedy', '3bd3d7c8f5b1a0ad', {}),
      generated('sampled', 'ec336d7dbaf7fa62', { temperature: 1.2, top_k: 30, top_p: 0.9 }),
      generated('scores', '74e689807a2ca5da', { mode: 'score' }),
      generated('rolling', '4aab1d9e008bc0ae', { mode: 'rolling', window: 7 }),
      { ...generated('choices', '83407a81db4c2e6e', { mode: 'choices' }), version: 4 },
    ],
  },
  execute: {
    version: 2,
    runs: [
      {
        config: { program: '{{ response }}', tests: '' },
        inputs: { responses: 'programs' },
        outputs: { responses: 'executed' },
        digests: { executed: '8887f96c27d07bac' },
      },
    ],
  },
  pair: {
    version: 1,
    runs: [
      {
        config: {},
        inputs: { first: 'answers', second: 'programs' },
        outputs: { records: 'pairs' },
        digests: { pairs: '41833ee5d7e67645' },
      },
    ],
  },
  prefer: {
    version: 1,
    runs: [
      {
        config: {},
        inputs: { first: 'answers', second: 'programs', judgments: 'verdicts' },
        outputs: { records: 'preferred' },
        digests: { preferred: '093c317aabb940ef' },
      },
    ],
  },
  evaluate: {
    version: 2,
    runs: [
      {
        config: { metrics: ['exact_match', 'token_f1', 'judge_score', 'finished'] },
        inputs: { responses: 'answers' },
        outputs: { scores: 'scores' },
        digests: { scores: 'd33292214313d55e' },
      },
    ],
  },
  shell: {
    version: 1,
    runs: [
      {
        config: {
          command: 'head -n 2 "$IN_rows" > "$OUT_rows"',
          inputs: { rows: 'records' },
          outputs: { rows: 'records' },
        },
        inputs: { rows: 'loaded' },
        outputs: { rows: 'shortened' },
        digests: { shortened: 'cd557cf8bab1ea8c' },
      },
    ],
  },
};

const hasSandbox = await openSandbox({
  python: 'python3',
  timeoutSeconds: 3,
  memoryMegabytes: 256,
  processes: 8,
}).then(
  () => true,
  () => false,
);

async function writeInputs(rig: StageRig): Promise<void> {
  await cp(fixture('model/tiny-gpt2'), rig.path('gpt2'), { recursive: true });
  await cp(tinyModel, rig.path('base'), { recursive: true });
  await writeBatches(rig.path('train-batches'), await tinyBatches());
  const validation = await tinyBatches({ examples: countingExamples(4) });
  await writeBatches(rig.path('validation-batches'), validation);
  await writeBatches(rig.path('pair-batches'), await tinyPairs());
  const prompts = tinyGpt2.prompts.map(
    (ids, number): Json => ({
      id: `record-${number}`,
      segments: [
        { role: 'prompt', text: ids.map((id) => `w${id}`).join(' ') },
        { role: 'header', text: ' w17 ' },
        { role: 'response', text: 'w1 w2' },
      ],
      choices: ['w1 w2', 'w3'],
      fields: { number },
    }),
  );
  await rig.writeRecords('prompts', prompts);
  const answer = { prompt: 'p', expected: 'the cat', fields: { response: 'x' }, finish_reason: 'stop' };
  await rig.writeRecords('answers', [
    { ...answer, id: 'a', response: 'A cat.' },
    { ...answer, id: 'b', response: '80', finish_reason: 'length' },
  ]);
  await rig.writeRecords('verdicts', [
    {
      ...answer,
      id: 'a/first',
      fields: { pair: 'a', shown_first: 'first', answer_a: 'A cat.', answer_b: 'assert 1 + 1 == 2' },
      response: '[[A]]',
    },
  ]);
  await rig.writeRecords('programs', [
    { ...answer, id: 'a', response: 'assert 1 + 1 == 2' },
    { ...answer, id: 'b', response: 'assert 1 + 1 == 3, "sum"' },
  ]);
}

test('the same inputs give the same bytes for as long as a stage keeps its version', async () => {
  await using rig = await openStageRig();
  await writeInputs(rig);
  const written: Record<string, unknown> = {};
  const expected: Record<string, unknown> = {};
  const entries: Readonly<Record<string, Golden>> = golden;
  for (const [name, { schema, version, versionOf, load }] of stageRegistry) {
    const entry = entries[name];
    if (entry === undefined) continue; // the next test names it
    const { runs, version: expectedVersion } = entry;
    // Programs run in a sandbox or not at all.
    const possible = name === 'execute' && !hasSandbox ? [] : runs;
    const outputs: Record<string, string> = {};
    const versions: number[] = [];
    for (const { config: given, digests, version: _, ...action } of possible) {
      const config = fillDefaults(schema, given);
      versions.push(versionOf?.(config) ?? version);
      await rig.run(await load(), { config, ...action });
      for (const file of Object.keys(digests)) outputs[file] = await digestOf(rig.path(file));
    }
    written[name] = { version, versions, outputs };
    expected[name] = {
      version: expectedVersion,
      versions: possible.map(({ version: own = expectedVersion }) => own),
      outputs: Object.assign({}, ...possible.map(({ digests }) => digests)),
    };
  }
  expect(written).toEqual(expected);
});

const digestOf = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
    .slice(0, 16);

test('the registry, the schemas, the golden digests, the pages and their overview have the same stages', async () => {
  const stages = [...stageRegistry.keys()];
  const overview = await readFile(new URL('docs/README.md', root), 'utf8');
  const listed = [...overview.matchAll(/\]\(stages\/([\w-]+)\.md\)/g)].map(([, name]) => name);
  const pages = await readdir(new URL('docs/stages', root));
  expect({
    'schemas/stages': Object.keys(stageSchemas).toSorted(),
    'golden digests, in order': Object.keys(golden),
    'docs/README.md, in order': listed,
    'docs/stages': pages.toSorted(),
  }).toEqual({
    'schemas/stages': stages.toSorted(),
    'golden digests, in order': stages,
    'docs/README.md, in order': stages,
    'docs/stages': stages.map((name) => `${name}.md`).toSorted(),
  });
  for (const name of stages)
    expect(await readFile(new URL(`docs/stages/${name}.md`, root), 'utf8')).toMatch(`# ${name}\n`);
});
