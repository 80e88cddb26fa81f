import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openEndpoint, say } from '../stages/generate/endpoint/loopback-endpoint.ts';
import { type CliRig, openCliRig } from './rig.ts';

const model = join(import.meta.dirname, '../fixtures/model/tiny-gpt2');
const row = (number: number) => ({ text: `w${number} w${number + 1}` });
const rowsOf = (...numbers: readonly number[]) => JSON.stringify(numbers.map(row));

const pipeline = (from: string, fields: string) => `name: ask
stages:
  base:
    uses: load
    with: { model: "${from}" }
  load:
    with: { records: rows.json }
  format:
    from: load
    with: { template: { prompt: "{{ text }}", response: "w3" } }
  generate:
    from: { model: base, prompts: format }
    with: { ${fields} }
`;

/** What the last run of `generate` measured: new answers and cached ones. */
async function answered(rig: CliRig, ...words: string[]): Promise<readonly [number, number]> {
  const { exitCode, stderr, stdout } = await rig.tuneloom('run', ...words);
  if (exitCode !== 0) throw new Error(stdout + stderr);
  const run = JSON.parse((await rig.tuneloom('runs', 'latest', '--json')).stdout);
  const { decision, measurements } = run.stages.generate;
  return decision === 'ran' ? [measurements.answers, measurements.answers_from_before ?? 0] : [0, 0];
}

async function outputs(rig: CliRig, ...words: string[]): Promise<unknown> {
  await rig.tuneloom('run', ...words);
  return JSON.parse((await rig.tuneloom('runs', 'latest', '--json', ...words)).stdout).stages.generate
    .outputs;
}

test('a new or changed record costs one answer; the bytes are those of a run from scratch', async () => {
  const fields = 'max_new_tokens: 4, batch_size: 2';
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.json': rowsOf(1, 2, 3),
    'ask.yaml': pipeline(model, fields),
  });
  expect(await answered(rig)).toEqual([3, 0]);
  await rig.write('rows.json', rowsOf(1, 2, 3, 4));
  expect(await answered(rig)).toEqual([1, 3]);
  await rig.write('rows.json', rowsOf(4, 5, 1));
  expect(await answered(rig)).toEqual([1, 2]);
  await rig.write('ask.yaml', pipeline(model, `${fields}, clean: false`));
  expect(await answered(rig)).toEqual([0, 3]);
  expect(await outputs(rig)).toEqual(await outputs(rig, '--store', 'fresh'));
  await rig.write('ask.yaml', pipeline(model, 'max_new_tokens: 4, batch_size: 3'));
  expect(await answered(rig)).toEqual([3, 0]);
  expect(await answered(rig, '--force', 'generate')).toEqual([3, 0]);
});

test('samples depend on the record and the seed, and scores on the response', async () => {
  await using rig = await openCliRig({ 'package.json': '{}', 'rows.json': rowsOf(1, 1) });
  const drawn = 'max_new_tokens: 4, temperature: 1';
  await rig.write('ask.yaml', pipeline(model, drawn));
  expect(await answered(rig)).toEqual([2, 0]);
  await rig.write('ask.yaml', pipeline(model, `${drawn}, seed: 7`));
  expect(await answered(rig)).toEqual([2, 0]);
  await rig.write('ask.yaml', pipeline(model, 'mode: score'));
  expect(await answered(rig)).toEqual([1, 0]);
  await rig.write('ask.yaml', pipeline(model, 'mode: score, max_new_tokens: 9, clean: false'));
  expect(await answered(rig)).toEqual([0, 2]);
  await rig.write('ask.yaml', pipeline(model, 'mode: score').replace('response: "w3"', 'response: "w4"'));
  expect(await answered(rig)).toEqual([1, 0]);
});

test('a model behind an endpoint is asked only for new answers, whatever the batch size', async () => {
  await using endpoint = await openEndpoint((received, response) => say(response, `to ${received.prompt}`));
  const fields = `endpoint: { base_url: "${endpoint.baseUrl}" }`;
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.json': rowsOf(1, 2),
    'ask.yaml': pipeline('openai:tiny', fields),
  });
  await answered(rig);
  await rig.write('rows.json', rowsOf(3, 2, 1));
  await rig.write('ask.yaml', pipeline('openai:tiny', `${fields}, batch_size: 1`));
  expect(await answered(rig)).toEqual([1, 2]);
  await rig.write('ask.yaml', pipeline('openai:other', fields));
  expect(await answered(rig)).toEqual([3, 0]);
  expect(endpoint.received).toHaveLength(6);
});
