import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEndpoint, say } from '../stages/generate/endpoint/loopback-endpoint.ts';
import { openShippedRig } from './shipped-pipeline.ts';

/** Rows in the form of the book's, short enough for the quickstart's model and its context of 64 tokens. */
const rows = Array.from({ length: 20 }, (_, index) => ({
  instruction: `What is the capital of ${index % 2 === 0 ? 'France' : 'Spain'}?`,
  input: '',
  output: 'The capital is Paris.',
  chosen: 'The capital is Paris.',
  rejected: `The capital is ${index % 2 === 0 ? 'Rome' : 'Oslo'}.`,
}));

test('answers are judged, the judge’s preferences become rows, and the model is tuned on them', async () => {
  const shown: string[] = [];
  await using endpoint = await openEndpoint((received, response) => {
    shown.push(received.prompt);
    // The longer answer is better, wherever it is shown.
    const [, a = '', b = ''] =
      /Assistant A:\n([\s\S]*?)\n\nAssistant B:\n([\s\S]*?)\n\nExplain/.exec(received.prompt) ?? [];
    say(response, a.length === b.length ? '[[C]]' : a.length > b.length ? '[[A]]' : '[[B]]');
  });
  await using rig = await openShippedRig();
  await rig.write('rows.json', JSON.stringify(rows));
  const params = {
    base: `{ model: ${join(rig.folder, 'pipelines', 'quickstart', 'base')} }`,
    preferences: join(rig.folder, 'rows.json'),
    ...{ batch_size: 4, max_length: 64, max_new_tokens: 6, learning_rate: 0.02 },
    judge: `openai:tiny`,
  };
  const words = Object.entries(params).flatMap(([name, value]) => ['-p', `${name}=${value}`]);
  const address = ['--set', `stages.compare/generate.with.endpoint.base_url=${endpoint.baseUrl}`];
  const ended = await rig.run('preference', ...words, ...address);
  expect([ended.exitCode, ended.stderr]).toEqual([0, expect.any(String)]);
  expect(shown.length).toBeGreaterThan(0);
  const made = await rig.rows('preference', 'prefer/records');
  expect(made.length).toBeGreaterThan(0);
  expect(made[0]).toMatchObject({
    instruction: expect.any(String),
    chosen: expect.any(String),
    rejected: expect.any(String),
  });
  const history = (stage: string) =>
    readFile(join(rig.folder, `artifacts/outputs/preference/${stage}/history`), 'utf8').then((text) =>
      text
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    );
  const [before] = await history('tuned');
  expect(before).toMatchObject({ type: 'evaluation', step: 0, train_loss: expect.closeTo(Math.LN2, 5) });
  expect((await history('tuned-again')).at(-1)).toMatchObject({ type: 'end', reason: 'completed' });
});
