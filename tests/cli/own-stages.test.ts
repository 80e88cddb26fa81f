import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

const files = {
  ...dataProject,
  'own.yaml': `stages:
  load: { with: { records: rows.jsonl } }
  keep: { uses: ./stages/keep, from: load, with: { letters: 5 } }
  format: { from: keep, with: { template: alpaca } }
`,
  'stages/keep/stage.yaml': `name: keep
inputs: { records: records }
outputs: { records: records }
config: { properties: { letters: { type: integer, default: 3 } } }
`,
  'stages/keep/index.ts': `import { implementStage } from 'tuneloom/stage';
import { isShort } from '../short.ts';
export const { run } = implementStage<{ letters: number }>()({
  inputs: { records: 'records' },
  outputs: { records: 'records' },
  async run({ config, inputs, outputs }) {
    for await (const record of inputs.records)
      if (isShort(record, config.letters)) await outputs.records.write(record);
  },
});
`,
  'stages/short.ts': `import { limit } from 'limits';
export const isShort = (record: { output?: unknown }, letters: number): boolean =>
  limit(String(record.output).length) <= letters;
`,
  'node_modules/limits/package.json': '{ "name": "limits", "version": "1.0.0", "type": "module" }',
  'node_modules/limits/index.js': 'export const limit = (count) => Math.min(count, 1000);\n',
};

const decided = async (rig: Awaited<ReturnType<typeof openCliRig>>) => {
  const { stdout } = await rig.tuneloom('plan', 'own.yaml', '--json');
  const { stages } = JSON.parse(stdout) as { stages: { stage: string; decision: string; reason?: string }[] };
  return Object.fromEntries(stages.map(({ stage, decision, reason }) => [stage, reason ?? decision]));
};

const unchanged = { load: 'reuse', keep: 'reuse', format: 'reuse' };

test("a user's stage runs, and runs again when its code, a module that it imports or a package changes", async () => {
  await using rig = await openCliRig(files);
  const first = await rig.tuneloom('run', 'own.yaml');
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  expect((await rig.tuneloom('show', 'own.yaml', 'keep', '--json')).stdout).toContain('"d-o-g"');
  expect(await decided(rig)).toEqual(unchanged);
  const short = files['stages/short.ts'];
  await rig.write('stages/short.ts', `${short}// A comment counts: the content does.\n`);
  expect(await decided(rig)).toMatchObject({ keep: 'its code in `../short.ts` changed' });
  const explained = await rig.tuneloom('explain', 'own.yaml', 'keep');
  expect(explained.stdout.replaceAll(/sha256:[0-9a-f]+/g, '<digest>')).toMatchInlineSnapshot(`
    "keep would run: compared with <date> UTC, this differs:

      code ../short.ts  stages/short.ts:1
        was  <digest>
        is   <digest>"
  `);
  await rig.write('stages/short.ts', short);
  expect(await decided(rig)).toEqual(unchanged);
  const manifest = files['node_modules/limits/package.json'];
  await rig.write('node_modules/limits/package.json', manifest.replace('1.0.0', '1.1.0'));
  expect(await decided(rig)).toMatchObject({
    keep: 'the package `npm:limits` changed from "1.0.0" to "1.1.0"'.replace('npm:', ''),
  });
  await rig.write('node_modules/limits/package.json', manifest);
  expect(await decided(rig)).toEqual(unchanged);
});

test('a stage at another place, under another id, has the same key', async () => {
  await using rig = await openCliRig(files);
  await rig.tuneloom('run', 'own.yaml');
  for (const name of ['keep/stage.yaml', 'keep/index.ts', 'short.ts'] as const)
    await rig.write(`moved/deep/${name}`, files[`stages/${name}`]);
  await rig.write('own.yaml', files['own.yaml'].replace('./stages/keep', './moved/deep/keep'));
  expect(await decided(rig)).toEqual(unchanged);
});

test("an error that is thrown names the line of the user's own file", async () => {
  await using rig = await openCliRig(files);
  const thrown = files['stages/short.ts'].replace('limit(', '(record as { a: { b: number } }).a.b + limit(');
  await rig.write('stages/short.ts', thrown);
  const { exitCode, stdout } = await rig.tuneloom('run', 'own.yaml');
  expect({
    exitCode,
    told: stdout.split('\n').filter((line) => /failed keep|help:/.test(line)),
  }).toMatchInlineSnapshot(`
    {
      "exitCode": 1,
      "told": [
        "failed keep: stages/short.ts:3:38: TypeError: Cannot read properties of undefined (reading 'b')",
        "  help: called from stages/keep/index.ts:8:11",
      ],
    }
  `);
});

test.each([
  ['a missing module', { 'stages/short.ts': "export { isShort } from './long.ts';\n" }],
  ['a text that does not compile', { 'stages/short.ts': 'export const isShort = (: => 1;\n' }],
  ['no run', { 'stages/keep/index.ts': 'export const walk = 1;\n' }],
  ['a missing package', { 'stages/keep/index.ts': "export { run } from 'nowhere';\n" }],
  ['a stage.yaml with mistakes', { 'stages/keep/stage.yaml': 'nmae: keep\noutputs: { records: recrods }\n' }],
  ['a name that is taken', { 'stages/keep/stage.yaml': 'name: load\noutputs: { records: records }\n' }],
  [
    'an invalid schema',
    {
      'stages/keep/stage.yaml':
        'name: keep\noutputs: { records: records }\nconfig: { properties: { letters: { type: int } } }\n',
    },
  ],
  ['a field that it does not have', { 'own.yaml': files['own.yaml'].replace('letters', 'leters') }],
  ['a missing folder', { 'own.yaml': files['own.yaml'].replace('stages/keep', 'stages/kepe') }],
  ['a folder without files', { 'own.yaml': files['own.yaml'].replace('./stages/keep', './node_modules') }],
])('%s is reported before anything runs', async (_, changes: Record<string, string>) => {
  await using rig = await openCliRig({ ...files, ...changes });
  const { exitCode, stderr } = await rig.tuneloom('run', 'own.yaml');
  expect(exitCode).toBe(2);
  expect(stderr).toMatchSnapshot();
});
