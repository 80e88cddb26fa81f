import { expect, test } from 'vitest';
import { openEndpoint, say } from '../stages/generate/endpoint/loopback-endpoint.ts';
import { dataProject, openCliRig } from './rig.ts';

const animals = ['cat', 'dog', 'cow', 'hen'];

const project = (baseUrl: string) => ({
  'package.json': '{}',
  'rows.json': JSON.stringify(animals.map((name) => ({ question: `Who are you, ${name}?`, answer: name }))),
  'ask.yaml': `name: ask
params: { model: good }
stages:
  base:
    uses: load
    with: { model: "openai:\${params.model}" }
  load:
    with: { records: rows.json }
  format:
    from: load
    with: { template: { prompt: "{{ question }}", response: "{{ answer }}" } }
  generate:
    from: { model: base, prompts: format }
    with: { endpoint: { base_url: "${baseUrl}" } }
  evaluate:
    from: generate
    with: { metrics: [exact_match] }
`,
});

/** `good` knows all but the hen; `bad` knows the hen but not the cow, and is wrong about `nobody` in another way. */
const answer = (model: unknown, prompt: string) =>
  animals.find((name) => prompt.includes(name) && name !== (model === 'bad' ? 'cow' : 'hen')) ??
  `a ${model} guess`;

test('diff shows params, fields by their YAML names, metrics with their change, and the worst answers first', async () => {
  await using endpoint = await openEndpoint((received, response) =>
    say(response, answer(received.body.model, received.prompt)),
  );
  await using rig = await openCliRig(project(endpoint.baseUrl));
  await rig.tuneloom('run');
  await rig.tuneloom('run', '-p', 'model=bad');
  const { stdout } = await rig.tuneloom('diff');
  expect(stdout.replaceAll(/[0-9a-f]{12}/g, '<hash>')).toBe(`before  <run> of ask, succeeded
after   <run> of ask, succeeded

params
  model: good -> bad

stages
  base: changed
    with.model: openai:good -> openai:bad
  follow from these  generate, evaluate
  the same           load, format

metrics
  stage     metric       before   after  change
  evaluate  exact_match  0.7500  0.7500  none

answers of generate: 2 of 4 changed
  Who are you, cow?
    expected  cow
    before    cow
    after     a bad guess
    scores    exact_match 1.000 -> 0
  Who are you, hen?
    expected  hen
    before    a good guess
    after     hen
    scores    exact_match 0 -> 1.000`);
  const one = JSON.parse((await rig.tuneloom('diff', '--json')).stdout);
  expect(one.answers[0]).toMatchObject({ stage: 'generate', compared: 4, changed: 2 });
  expect((await rig.tuneloom('diff', '--limit', '1')).stdout).toContain(
    'answers of generate: 2 of 4 changed; 1 of them, the worst first',
  );
});

test('runs are named by the beginning or the end of their ids', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.tuneloom('diff')).stderr).toContain('there are no two runs that succeeded');
  await rig.tuneloom('run');
  await rig.tuneloom('run', '-p', 'length=32');
  const raw = await rig.start('runs', '--json');
  const [last, first] = JSON.parse(raw.stdout).runs.map(({ run }: { run: string }) => run);
  const { stdout } = await rig.tuneloom('diff', first.slice(-6), last.slice(-6));
  expect(stdout).toContain('with.max_length: 64 -> 32');
  expect((await rig.tuneloom('diff', first.slice(0, -3))).stdout).toContain('length: 64 -> 32');
  expect((await rig.tuneloom('diff', last, first)).stdout).toContain('length: 32 -> 64');
  expect((await rig.tuneloom('runs', first.slice(-6))).exitCode).toBe(0);
  const unclear = await rig.tuneloom('diff', '20');
  expect([unclear.exitCode, unclear.stderr.split(':')[1]]).toEqual([2, ' `20` matches 2 runs']);
  expect((await rig.tuneloom('diff', 'none')).exitCode).toBe(2);
});
