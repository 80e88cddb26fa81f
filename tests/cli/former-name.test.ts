import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { checkout } from './npm-rig.ts';
import { openCliRig } from './rig.ts';

// The program was called retune until its first release. Users of that name must not be misled silently.

const formerStore = fileURLToPath(new URL('../fixtures/former-store', import.meta.url));

// After a stage's version is raised, expect here that it runs again. No other change may run one.
test('results, records and a lock written under the former name are still valid', async () => {
  await using rig = await openCliRig();
  await cp(formerStore, rig.folder, { recursive: true });
  const run = await rig.tuneloom('run', '--json');
  const { ran, reused } = JSON.parse(run.stdout.split('\n').at(-1) ?? '');
  expect([ran, reused]).toEqual([['load', 'split'], ['count']]);
  const locked = await rig.tuneloom('run', '--locked');
  expect(locked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(locked.stdout).toContain('kept: nothing had to run; 3 stages reused');
  expect((await rig.tuneloom('plan', '--check')).exitCode).toBe(0);
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  expect((await rig.tuneloom('runs')).stdout).toMatch(/^ *<run> +<started> +3 +0 +<time> +succeeded$/m);
});

test('a variable of the former name is named on stderr, and nothing else changes', async () => {
  await using rig = await openCliRig();
  const { stdout, stderr } = await execa('node', [join(checkout, 'dist/tuneloom.js'), '--version'], {
    cwd: rig.folder,
    env: { RETUNE_STORE: 'elsewhere', RETUNE_TENSORFLOW: 'engines' },
  });
  expect([stdout, stderr.split('\n')]).toEqual([
    '0.1.0',
    [
      'warning: RETUNE_STORE is no longer read; it is called TUNELOOM_STORE now',
      'warning: RETUNE_TENSORFLOW is no longer read; it is called TUNELOOM_TENSORFLOW now',
    ],
  ]);
});

test('the error of an own stage that imports the former name gives the new one', async () => {
  await using rig = await openCliRig({
    'p.yaml': 'stages:\n  own: { uses: ./own }\n',
    'own/stage.yaml': 'name: own\noutputs: { records: records }\n',
    'own/index.ts':
      "import { implementStage } from 'retune/stage';\nexport const { run } = implementStage()({});\n",
  });
  expect((await rig.tuneloom('plan')).stderr).toMatchInlineSnapshot(`
    "own/index.ts:1:32 error[broken-code] the stage does not compile: import \`tuneloom/stage\`, which was called \`retune/stage\` before
       1 | import { implementStage } from 'retune/stage';
         |                                ^^^^^^^^^^^^^^
      p.yaml:2:3 the stage is used here
       2 |   own: { uses: ./own }
         |   ^^^
    1 error. Nothing ran."
  `);
});

test('doctor says where to move an installation of TensorFlow under the former name', async () => {
  await using rig = await openCliRig({ '.cache/retune/tensorflow/cpu/installed.json': '{}' });
  const tensorflow = async () => {
    const { findings } = JSON.parse((await rig.tuneloom('doctor', '--json')).stdout);
    return findings.find(({ subject }: { subject: string }) => subject === 'backend tensorflow');
  };
  expect(await tensorflow()).toMatchInlineSnapshot(`
    {
      "found": "not installed",
      "help": "move <folder>/.cache/retune/tensorflow to <folder>/.cache/tuneloom/tensorflow: this program was called retune when it installed TensorFlow there",
      "state": "absent",
      "subject": "backend tensorflow",
    }
  `);
  await rig.write('.cache/tuneloom/tensorflow/downloads/part', '');
  expect((await tensorflow()).help).not.toContain('retune');
});
