import { cp, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { evaluateStage } from '../../../src/stages/evaluate/evaluate-stage.ts';
import { run as evaluate } from '../../../src/stages/evaluate/run-evaluate.ts';
import { generateStage } from '../../../src/stages/generate/generate-stage.ts';
import { run as generate } from '../../../src/stages/generate/run-generate.ts';
import { writeBatches } from '../../../src/stages/ports/batches-file.ts';
import { run as train } from '../../../src/stages/train/run-train.ts';
import { trainStage } from '../../../src/stages/train/train-stage.ts';
import { countingExamples, tinyBatches, tinyModel } from '../../training/tiny-training.ts';
import { openStageRig, type StageRig } from '../stage-rig.ts';

const metrics = ['exact_match', 'token_f1', 'bleu', 'chrf', 'rouge_l'];
const generation = { max_new_tokens: 3, batch_size: 4 };

const prompts = Array.from({ length: 6 }, (_, index) => {
  const words = Array.from({ length: 5 }, (_, place) => `w${(7 * index + place) % 50}`);
  const segments = [
    { role: 'prompt', text: words.slice(0, 2).join(' ') },
    { role: 'response', text: ` ${words.slice(2).join(' ')}` },
  ];
  return { id: `prompt-${index}`, segments, fields: {} };
});

async function trained(rig: StageRig, config: JsonObject): Promise<readonly JsonObject[]> {
  await writeBatches(rig.path('train'), await tinyBatches());
  await writeBatches(rig.path('easy'), await tinyBatches({ examples: countingExamples(4) }));
  await writeBatches(rig.path('hard'), await tinyBatches({ examples: countingExamples(6).slice(4) }));
  await rig.writeRecords('prompts', prompts);
  await cp(tinyModel, rig.path('base'), { recursive: true });
  await rig.run(
    { run: train },
    {
      config: fillDefaults(trainStage.schema, {
        epochs: 4,
        sample: { max_new_tokens: 0 },
        optimizer: { learning_rate: 2e-2 },
        evaluate: { every: 3, generation: { metrics, rows: 6, ...generation } },
        ...config,
      }),
      inputs: {
        ...{ model: 'base', train: 'train', prompts: 'prompts' },
        ...{ 'validation.hard': 'hard', 'validation.easy': 'easy' },
      },
      outputs: { model: 'model', history: 'history' },
      resources: { backend: 'onnx', threads: 1 },
    },
  );
  return (await rig.readRecords('history')) as JsonObject[];
}

/** What generate and evaluate make of a model. */
async function scoresOf(rig: StageRig, model: string): Promise<JsonObject> {
  await rig.run(
    { run: generate },
    {
      config: fillDefaults(generateStage.schema, generation),
      inputs: { model, prompts: 'prompts' },
      outputs: { responses: 'responses' },
      resources: { backend: 'onnx', threads: 1 },
    },
  );
  await rig.run(
    { run: evaluate },
    {
      config: fillDefaults(evaluateStage.schema, { metrics }),
      inputs: { responses: 'responses' },
      outputs: { scores: 'scores' },
    },
  );
  const scores = JSON.parse(await readFile(rig.path('scores'), 'utf8'));
  return Object.fromEntries(
    scores.metrics.map(({ metric, value }: { metric: string; value: number }) => [metric, value]),
  );
}

test.each([
  ['the last weights', {}],
  ['the best weights', { keep: 'best', metric_for_best_model: 'chrf' }],
  ['an adapter', { lora: { r: 8 }, optimizer: { learning_rate: 5e-2 } }],
])('scores of answers are those that generate and evaluate give %s', async (_, config) => {
  await using rig = await openStageRig();
  const history = await trained(rig, config);
  const end = history.at(-1);
  const kept = 'keep' in config ? end?.best_step : end?.step;
  const entry = history.find(({ type, step }) => type === 'generation' && step === kept);
  expect(entry?.metrics).toEqual(await scoresOf(rig, 'model'));
  expect(entry?.metrics).not.toEqual(history.find(({ type }) => type === 'generation')?.metrics);
});

test('a run reports the answers as it goes, their scores in its figures, and what they cost', async () => {
  await using rig = await openStageRig();
  const history = await trained(rig, { epochs: 1 });
  const last = history.findLast(({ type }) => type === 'generation')?.metrics as JsonObject;
  const losses = history.findLast(({ type }) => type === 'evaluation')?.validation_losses as JsonObject;
  expect(Object.keys(losses)).toEqual(['easy', 'hard']);
  const progress = rig.reports.flatMap((report) => (report.type === 'progress' ? [report] : []));
  expect(progress.findLast(({ phase }) => phase?.name === 'answering')?.phase).toEqual({
    ...{ name: 'answering', done: 6, total: 6 },
  });
  expect(progress.map(({ figures }) => Object.keys(figures ?? {}))).toContainEqual([
    ...['loss', 'validation_loss/easy', 'validation_loss/hard', ...Object.keys(last)],
    ...['tokens_per_second', 'learning_rate'],
  ]);
  const notes = rig.reports.flatMap((report) => (report.type === 'note' ? [report.message] : []));
  expect(notes).toEqual([
    expect.stringMatching(/^answering 12 prompts in 2 evaluations took .+, \d+ % of the training$/),
  ]);
});

test('an adapter of a base in 8 bits has its answers scored too', async () => {
  await using rig = await openStageRig();
  const history = await trained(rig, { epochs: 1, lora: { r: 4 }, base_precision: 'int8' });
  expect(history.filter(({ type }) => type === 'generation')).toHaveLength(2);
});

test('prompts without an expected answer are refused before training', async () => {
  await using rig = await openStageRig();
  for (const prompt of prompts) prompt.segments = prompt.segments.slice(0, 1);
  await expect(trained(rig, {})).rejects.toMatchObject({ code: 'no-expected-answer', port: 'prompts' });
});
