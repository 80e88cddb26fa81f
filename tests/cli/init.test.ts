import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { checkout, openNpmRig } from './npm-rig.ts';
import { openCliRig } from './rig.ts';

const init = `node '${join(checkout, 'dist/tuneloom.js')}' init`;

/** The lines that init prints below `Next:`. */
const nextLines = (stdout: string): string => stdout.split('Next:\n')[1] ?? '';

test('init writes a project whose pipeline can be planned', async () => {
  await using rig = await openCliRig();
  expect(await rig.tuneloom('init', 'my-project')).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "Wrote pipeline.yaml, pipeline.schema.json, data/instructions.jsonl, .tuneloom/settings.yaml, .tuneloom/settings.schema.json, README.md, .gitignore, package.json, .npmrc in my-project.

    Next:
      cd my-project
      npm install
      npx tuneloom run",
    }
  `);
  const names = await readdir(join(rig.folder, 'my-project'), { recursive: true });
  expect(names.sort()).toEqual([
    '.gitignore',
    '.npmrc',
    '.tuneloom',
    '.tuneloom/settings.schema.json',
    '.tuneloom/settings.yaml',
    'README.md',
    'data',
    'data/instructions.jsonl',
    'package.json',
    'pipeline.schema.json',
    'pipeline.yaml',
  ]);
  const plan = await rig.tuneloom('plan', 'my-project/pipeline.yaml', '--json');
  expect([plan.exitCode, JSON.parse(plan.stdout).stages.length]).toEqual([0, 11]);
});

test('init overwrites nothing', async () => {
  await using rig = await openCliRig({ 'pipeline.yaml': 'mine', 'README.md': 'mine too' });
  const refused = await rig.tuneloom('init');
  expect([refused.exitCode, await readdir(rig.folder)]).toEqual([2, ['README.md', 'pipeline.yaml']]);
  await rig.tuneloom('init', 'other');
  expect(await readFile(join(rig.folder, 'README.md'), 'utf8')).toBe('mine too');
});

test('what init says to do next works, and a stage there finds the types of tuneloom/stage', async () => {
  await using rig = await openNpmRig();
  const next = nextLines(await rig.shell('.', `${init} 'my project'`));
  expect(next).toBe("  cd 'my project'\n  npm install\n  npx tuneloom run");
  expect(await rig.shell('.', next)).toMatch(/^first-pipeline: 11 stages ran in /m);
  const project = join(rig.folder, 'my project');
  expect(await readFile(join(project, 'package.json'), 'utf8')).not.toMatch(/file:(\/|\w:)/);
  const [, stage = ''] =
    /```ts\n([\s\S]*?)```/.exec(await readFile(join(checkout, 'docs/own-stages.md'), 'utf8')) ?? [];
  await writeFile(join(project, 'shorten.ts'), stage);
  const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2023'];
  const compiled = await execa(join(checkout, 'node_modules/.bin/tsc'), [...options, 'shorten.ts'], {
    cwd: project,
    reject: false,
  });
  expect(compiled.stdout).toBe('');
}, 180_000);

test('init leaves a package.json as it is, and says how to install into that project', async () => {
  await using rig = await openNpmRig();
  await rig.write('project/package.json', '{ "private": true }');
  const next = nextLines(await rig.shell('project', init));
  expect(next).toMatch(/^ {2}npm install --save-dev --ignore-scripts file:\.\.\/\S+\n {2}npx tuneloom run$/);
  const plan = next.replace('tuneloom run', 'tuneloom plan');
  expect(await rig.shell('project', plan)).toContain('score_after');
  expect(nextLines(await rig.shell('project', 'npx tuneloom init again'))).toBe(
    '  cd again\n  npm install\n  npx tuneloom run',
  );
  await rig.write('known/package.json', '{ "devDependencies": { "tuneloom": "*" } }');
  expect(nextLines(await rig.shell('known', init))).toBe('  npx tuneloom run');
}, 180_000);
