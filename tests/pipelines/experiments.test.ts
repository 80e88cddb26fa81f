import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openShippedRig } from './shipped-pipeline.ts';

/** A few rows, short enough for the quickstart's model and its context of 64 tokens. */
const rows = [
  { instruction: 'What is the capital of France?', input: '', output: 'The capital of France is Paris.' },
  {
    instruction: 'Translate the word into French.',
    input: 'dog',
    output: 'The French word for dog is chien.',
  },
];

test.each([
  {
    pipeline: 'alpaca-gpt2',
    prompt:
      'Below is an instruction that describes a task. Write a response that appropriately completes the request.' +
      '\n\n### Instruction:\nTranslate the word into French.\n\n### Input:\ndog',
  },
  { pipeline: 'phi3', prompt: '<|user|>\nTranslate the word into French.\ndog' },
])('$pipeline runs with a small model and few rows in place of its own', async ({ pipeline, prompt }) => {
  await using rig = await openShippedRig();
  const instructions = join(rig.folder, 'rows.json');
  await rig.write('rows.json', JSON.stringify(Array.from({ length: 10 }, () => rows).flat()));
  const params = {
    base: `{ model: ${join(rig.folder, 'pipelines', 'quickstart', 'base')} }`,
    instructions,
    batch_size: 4,
    max_length: 64,
    max_new_tokens: 4,
  };
  const words = Object.entries(params).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
  expect(await rig.run(pipeline, ...words)).toMatchObject({ exitCode: 0 });
  const { metrics } = await rig.scores(pipeline, 'evaluate');
  expect(metrics.map(({ metric, count }) => [metric, count])).toEqual([
    ['exact_match', 2], // 20 rows: 17 train, 2 test, 1 validation
    ['token_f1', 2],
    ['finished', 2],
  ]);
  expect(await rig.rows(pipeline, 'generate/responses')).toMatchObject([{ prompt }, {}]); // rows 17 and 18
});

test.each([
  ['alpaca-gpt2', 'hf:openai-community/gpt2-medium'],
  ['phi3', 'hf:openai-community/gpt2-medium'],
  ['smollm2', 'hf:HuggingFaceTB/SmolLM2-135M-Instruct'],
])('%s names its model on the hub, and is planned without a network', async (pipeline, model) => {
  await using rig = await openShippedRig();
  await rig.write('rows.json', JSON.stringify(rows));
  const instructions = `instructions=${join(rig.folder, 'rows.json')}`;
  const { exitCode, stdout } = await rig.plan(pipeline, '--json', '-p', instructions);
  const { stages } = JSON.parse(stdout);
  expect([exitCode, stages[0]]).toEqual([
    0,
    {
      stage: 'base',
      uses: 'load',
      decision: 'undecided',
      reason: `${model} is not resolved yet`,
      waits_for: [],
      unresolved: [model],
    },
  ]);
});

const real = fileURLToPath(new URL('../../../shared/data/rasbt/instruction-data.json', import.meta.url));

test.skipIf(!existsSync(real))(
  'alpaca-gpt2 runs on all of the reference’s 1,100 instructions, and a second run does nothing (skipped without ../shared/data)',
  async () => {
    await using rig = await openShippedRig();
    const init = '{ context_length: 1024, width: 16, layers: 1, heads: 2, tied: false, encoding: r50k_base }';
    const params = { base: `{ init: ${init} }`, instructions: real, epochs: 1, max_new_tokens: 4 };
    const words = Object.entries(params).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
    expect(await rig.run('alpaca-gpt2', ...words)).toMatchObject({ exitCode: 0 });
    const history = await rig.rows('alpaca-gpt2', 'train/history');
    // 935 // 8 steps with drop_last; before training the loss of a uniform guess over 50,257 tokens, ln(50257) = 10.825
    expect(history.at(-1)).toMatchObject({ type: 'end', step: 116, reason: 'completed' });
    expect(history.at(0)).toMatchObject({
      type: 'evaluation',
      step: 0,
      train_loss: expect.closeTo(10.825, 1),
    });
    expect(await rig.rows('alpaca-gpt2', 'generate/responses')).toHaveLength(110);
    expect(await rig.run('alpaca-gpt2', ...words)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('nothing had to run'),
    });
  },
  180_000,
);

const smollm2 = process.env.TUNELOOM_SMOLLM2;

test.skipIf(smollm2 === undefined)(
  `smollm2 tunes the real model by LoRA on few rows, and answers and rates before and after${smollm2 === undefined ? ' (skipped: TUNELOOM_SMOLLM2 names no file)' : ''}`,
  async () => {
    await using rig = await openShippedRig();
    await rig.write('rows.json', JSON.stringify(Array.from({ length: 10 }, () => rows).flat()));
    const instructions = join(rig.folder, 'rows.json');
    const params = {
      model: smollm2,
      instructions,
      epochs: 1,
      batch_size: 4,
      learning_rate: 1e-3,
      max_new_tokens: 8,
    };
    const words = Object.entries(params).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
    const limited = [...words, '--set', 'stages.train.with.evaluate.batches=1'];
    expect(await rig.run('smollm2', ...limited)).toMatchObject({ exitCode: 0 });
    const counts = async (stage: string) =>
      (await rig.scores('smollm2', stage)).metrics.map(({ metric, count }) => [metric, count]);
    const answers = [
      ['exact_match', 2], // 20 rows: 17 train, 2 test, 1 validation
      ['token_f1', 2],
      ['finished', 2],
    ];
    expect([await counts('before'), await counts('after')]).toEqual([answers, answers]);
    const lossOf = async (stage: string) =>
      (await rig.scores('smollm2', stage)).metrics.find(({ metric }) => metric === 'loss')?.value ??
      Number.NaN;
    // Here the test rows are training rows too, so five steps teach them.
    expect(await lossOf('loss_after')).toBeLessThan(await lossOf('loss_before'));
    const history = await rig.rows('smollm2', 'train/history');
    expect(history.at(-1)).toMatchObject({ type: 'end', step: 5, reason: 'completed' });
  },
  600_000,
);
