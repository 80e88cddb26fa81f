import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { UserError } from '../../src/core/user-error.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import * as generateCode from '../../src/stages/generate/run-generate.ts';
import { loadStage } from '../../src/stages/load/load-stage.ts';
import * as loadCode from '../../src/stages/load/run-load.ts';
import { writeBatches } from '../../src/stages/ports/batches-file.ts';
import * as trainCode from '../../src/stages/train/run-train.ts';
import { trainStage } from '../../src/stages/train/train-stage.ts';
import { countingExamples, tinyBatches, tinyModel } from '../training/tiny-training.ts';
import { generateDefaults } from './generate/generate-defaults.ts';
import { openStageRig, type StageRig } from './stage-rig.ts';

const resources = { backend: 'cpu' };
const adapters = join(import.meta.dirname, '../fixtures/adapters');
const [first, second] = [join(adapters, 'dora-bias'), join(adapters, 'biases')];

const prompts = ['w3 w4 w5', 'w9 w8', 'w20'].map((text, index) => ({
  id: `p${index}`,
  segments: [
    { role: 'prompt', text },
    { role: 'response', text: ' w6 w7' },
  ],
}));

async function openRig(): Promise<StageRig> {
  const rig = await openStageRig();
  await cp(tinyModel, rig.path('base'), { recursive: true });
  await rig.writeRecords('prompts', prompts);
  return rig;
}

const train = (
  rig: StageRig,
  output: string,
  more: { config?: JsonObject; inputs?: Record<string, string> },
) =>
  rig.run(trainCode, {
    config: fillDefaults(trainStage.schema, {
      ...{ epochs: 5, sample: { max_new_tokens: 0 }, optimizer: { learning_rate: 0.1 } },
      ...more.config,
    }),
    inputs: { model: 'base', train: 'batches', ...more.inputs },
    outputs: { model: output, history: `${output}-history` },
    resources,
  });

const answer = async (
  rig: StageRig,
  inputs: Record<string, string | Record<string, string>>,
  output: string | Record<string, string> = 'answers',
  config: JsonObject = { max_new_tokens: 8 },
) => {
  // Each run has its own state in the runtime.
  await rm(rig.path('state'), { recursive: true, force: true });
  await rig.run(generateCode, {
    config: { ...generateDefaults({ batch_size: 2, ...config }) } as JsonObject,
    inputs: { model: 'base', prompts: 'prompts', ...inputs },
    outputs: { responses: output },
    resources,
  });
  const names = typeof output === 'string' ? [output] : Object.values(output);
  return Promise.all(names.map((name) => readFile(rig.path(name), 'utf8')));
};

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof UserError ? [error.code, error.message] : error),
  );

test('a model answers with an adapter as the model with the adapter merged into it', async () => {
  await using rig = await openRig();
  await writeBatches(rig.path('batches'), await tinyBatches({ examples: countingExamples(6) }));
  await train(rig, 'tuned', { config: { lora: { r: 2, use_dora: true, modules_to_save: ['ln_f'] } } });
  const alone = await answer(rig, {});
  const merged = await answer(rig, { model: 'tuned' }, 'from-merged');
  expect(await answer(rig, { adapter: 'tuned' }, 'from-adapter')).toEqual(merged);
  expect(merged).not.toEqual(alone);

  await rig.run(loadCode, {
    config: fillDefaults(loadStage.schema, { adapter: rig.path('tuned') }),
    outputs: { adapter: 'loaded' },
  });
  expect(await answer(rig, { adapter: 'loaded' }, 'from-loaded')).toEqual(merged);
  expect(await refusal(answer(rig, { model: 'tuned', adapter: 'loaded' }, 'twice'))).toEqual([
    'merged-adapter',
    'the model has this adapter merged into it already',
  ]);
});

test('several adapters answer on one base, each as alone', async () => {
  await using rig = await openRig();
  await rig.run(loadCode, {
    config: fillDefaults(loadStage.schema, { adapters: { one: first, two: second } }),
    outputs: { adapters: { one: 'one', two: 'two' } },
  });
  const score = { mode: 'score' };
  const alone = [
    ...(await answer(rig, { adapter: 'one' }, 'alone-one', score)),
    ...(await answer(rig, { adapter: 'two' }, 'alone-two', score)),
  ];
  const together = { one: 'together-one', two: 'together-two' };
  expect(await answer(rig, { adapter: { one: 'one', two: 'two' } }, together, score)).toEqual(alone);
  expect(alone[0]).not.toEqual(alone[1]);
});

test('a training continues with an adapter, by its settings', async () => {
  await using rig = await openRig();
  await cp(first, rig.path('adapter'), { recursive: true });
  await writeBatches(rig.path('batches'), await tinyBatches({ examples: countingExamples(6) }));
  await train(rig, 'further', { config: { lora: 'continue' }, inputs: { adapter: 'adapter' } });
  const config = async (folder: string): Promise<JsonObject> =>
    JSON.parse(await readFile(join(folder, 'adapter_config.json'), 'utf8'));
  const written = await config(rig.path('further/adapter'));
  const given = await config(first);
  const fields = Object.keys(written).filter((field) => field !== 'base_model_name_or_path');
  expect(Object.fromEntries(fields.map((field) => [field, written[field]]))).toEqual(
    Object.fromEntries(fields.map((field) => [field, given[field]])),
  );
  await train(rig, 'still', {
    config: { lora: 'continue', optimizer: { learning_rate: 1e-30 } },
    inputs: { adapter: 'further' },
  });
  const weights = (name: string) => readFile(rig.path(`${name}/adapter/adapter_model.safetensors`));
  expect(await weights('still')).toEqual(await weights('further'));
});

test('a rank or an alpha that two patterns decide, and patterns that match nothing, are refused', async () => {
  await using rig = await openRig();
  await writeBatches(rig.path('batches'), await tinyBatches());
  let tried = 0;
  const trained = (lora: JsonObject) => refusal(train(rig, `never-${tried++}`, { config: { lora } }));
  expect(await trained({ rank_pattern: { c_fc: 4, 'h.0.*': 8 } })).toEqual([
    'ambiguous-pattern',
    '`lora.rank_pattern` gives `transformer.h.0.mlp.c_fc` two values: by `c_fc` and by `h.0.*`',
  ]);
  expect(await trained({ targets: ['c_fc'], alpha_pattern: { c_attn: 4 } })).toEqual([
    'unknown-lora-target',
    '`lora.alpha_pattern` has `c_attn`, which matches none of the projections that get an adapter',
  ]);
  expect(await trained({ modules_to_save: ['norm'] })).toEqual([
    'unknown-module',
    '`lora.modules_to_save` has `norm`, which matches no module of the model',
  ]);
  expect(await trained({ targets: ['wte'], ensure_weight_tying: true })).toEqual([
    'tied-adapter',
    '`ensure_weight_tying` keeps the head tied to an embedding that is trained whole, not to one with an adapter',
  ]);
});

test('an adapter in place of a model, and a model without one, are refused', async () => {
  await using rig = await openRig();
  const load = (config: JsonObject, outputs: Record<string, string>) =>
    refusal(rig.run(loadCode, { config: fillDefaults(loadStage.schema, config), outputs }));
  expect(await load({ model: first }, { model: 'a', tokenizer: 'b' })).toEqual([
    'adapter-for-model',
    `${first} holds an adapter, not a model`,
  ]);
  expect(await load({ adapter: rig.path('base') }, { adapter: 'c' })).toEqual([
    'no-adapter',
    `${rig.path('base')} has no adapter: adapter_config.json is missing`,
  ]);
  expect(await refusal(answer(rig, { adapter: 'base' }))).toEqual([
    'no-adapter',
    `${rig.path('base')} has no adapter: adapter_config.json is missing`,
  ]);
  await mkdir(rig.path('served'));
  await writeFile(rig.path('served/endpoint.json'), '{"provider":"openai","model":"m"}');
  await cp(first, rig.path('adapter'), { recursive: true });
  expect(await refusal(answer(rig, { model: 'served', adapter: 'adapter' }, 'served-answers'))).toEqual([
    'endpoint-adapter',
    'the model `m` is behind an endpoint, which takes no adapter from here',
  ]);
});

test('a base in 8 bits says which projections stay in float32, and needs an adapter to train', async () => {
  await using rig = await openRig();
  await writeBatches(rig.path('batches'), await tinyBatches());
  await train(rig, 'small', { config: { base_precision: 'int8', lora: { r: 2, targets: ['c_fc'] } } });
  const notes = rig.reports.flatMap((report) => (report.type === 'note' ? [report.message] : []));
  expect(notes).toContain(
    '6 of 8 projections stay in float32, because their inputs are no multiple of 32: transformer.h.0.attn.c_attn, ...',
  );
  const check = (config: JsonObject) =>
    trainStage.check?.(fillDefaults(trainStage.schema, config)).map(({ code }) => code);
  expect(check({ base_precision: 'int4' })).toEqual(['frozen-base']);
  expect(check({ base_precision: 'int4', lora: 'continue' })).toEqual([]);
});
