import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openShippedRig } from './shipped-pipeline.ts';

/** Rows that are few and short enough for the quickstart's model, which reads 64 tokens. */
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
    model: join(rig.folder, 'pipelines', 'quickstart', 'base'),
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
