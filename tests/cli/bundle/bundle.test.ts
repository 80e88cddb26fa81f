import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openCliRig } from '../rig.ts';

const python = process.env.TUNELOOM_PYTHON ?? join(homedir(), '.cache/tuneloom-ci/python/bin/python');
const hasPython = existsSync(python);
if (!hasPython) console.log(`no ${python}: the manifest is not validated`);

/** A pipeline with an overlay, a sub-pipeline, a stage of the user's own, a command with a script, and parameters. */
const project = {
  'package.json': '{ "license": "CC-BY-4.0" }',
  'data/rows.jsonl':
    '{"id":"a","instruction":"Spell dog.","output":"d-o-g"}\n{"id":"b","instruction":"Spell cat.","output":"c-a-t"}\n',
  'pipelines/base.yaml': `name: given
params:
  share: 0.5
  mark: "!"
stages:
  load:
    with: { records: ../data/rows.jsonl }
  count:
    uses: ../stages/count
    from: load
  shout:
    uses: shell
    from: { rows: load }
    with:
      command: [sh, $FILE_script, $IN_rows, $OUT_rows]
      files: { script: ../scripts/shout.sh }
      inputs: { rows: records }
      outputs: { rows: records }
  sub:
    uses: ./sub.yaml
    from: { rows: shout }
`,
  'pipelines/given.yaml': 'extends: base.yaml\nparams:\n  mark: "?"\n',
  'pipelines/sub.yaml': `name: sub
inputs: { rows: records }
outputs: { formatted: format }
stages:
  format:
    from: inputs.rows
    with: { template: alpaca }
`,
  'scripts/shout.sh': 'sed s/dog/DOG/ "$1" > "$2"\n',
  'stages/count/stage.yaml': `name: count
version: 1
inputs: { rows: records }
outputs: { scores: file }
`,
  'stages/count/index.ts': `import { writeFile } from 'node:fs/promises';
import { implementStage } from 'tuneloom/stage';
import { lengthOf } from './length.ts';

export const { run } = implementStage()({
  inputs: { rows: 'records' },
  outputs: { scores: 'file' },
  async run({ inputs, outputs }) {
    await writeFile(outputs.scores.path, String(await lengthOf(inputs.rows)));
  },
});
`,
  'stages/count/length.ts': `export async function lengthOf(rows: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of rows) count += 1;
  return count;
}
`,
};

const file = 'pipelines/given.yaml';

/** A project that has run, and its bundle. */
async function openBundled(...words: readonly string[]) {
  const rig = await openCliRig(project);
  const ran = await rig.tuneloom('run', file);
  expect(ran.exitCode).toBe(0);
  const bundled = await rig.tuneloom('bundle', file, 'given.zip', ...words);
  expect(bundled).toMatchObject({ exitCode: 0, stderr: '' });
  return rig;
}

const digestOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

test('a bundle holds the definition, the lock and the records, and what is asked for', async () => {
  await using rig = await openBundled();
  const { stdout } = await execa('unzip', ['-Z1', join(rig.folder, 'given.zip')]);
  const names = stdout
    .split('\n')
    .map((name) => name.replace(/[0-9a-f]{64}\.json$/, '<key>.json').replace(/runs\/.*/, 'runs/<run>'));
  expect(names.map((name) => name.replace(/actions\/../, 'actions/<..>'))).toEqual([
    'ro-crate-metadata.json',
    ...Array.from({ length: 4 }, () => 'artifacts/actions/<..>/<key>.json'),
    'artifacts/runs/<run>',
    'package.json',
    'pipelines/base.yaml',
    'pipelines/given.lock.yaml',
    'pipelines/given.yaml',
    'pipelines/sub.yaml',
    'scripts/shout.sh',
    'stages/count/index.ts',
    'stages/count/length.ts',
    'stages/count/stage.yaml',
  ]);
}, 60_000);

test('equal runs give equal bundles, byte for byte, whatever the time zone', async () => {
  await using rig = await openBundled('--with', 'all');
  const again = await execa(
    process.execPath,
    [join(import.meta.dirname, '../../../dist/tuneloom.js'), 'bundle', file, 'again.zip', '--with', 'all'],
    {
      cwd: rig.folder,
      env: { PATH: process.env.PATH, HOME: rig.folder, TZ: 'Asia/Tokyo' },
      extendEnv: false,
    },
  );
  expect(again.exitCode).toBe(0);
  expect(digestOf(join(rig.folder, 'again.zip'))).toBe(digestOf(join(rig.folder, 'given.zip')));
}, 60_000);

test('an opened bundle repeats the run without computing or asking, also where the bundle has neither data nor results', async () => {
  await using rig = await openBundled();
  await using other = await openCliRig();
  await cp(join(rig.folder, 'given.zip'), join(other.folder, 'given.zip'));
  const opened = await other.tuneloom('open', 'given.zip');
  expect(opened).toEqual({
    exitCode: 0,
    stdout: `opened given: 15 files, 4 records, 0 results
license: https://spdx.org/licenses/CC-BY-4.0
A run of it would do this; \`tuneloom run\` asks first:
  count  runs the code of stages/count/index.ts
  shout  runs sh $FILE_script $IN_rows $OUT_rows
next: cd given && tuneloom run pipelines/given.yaml --locked`,
    stderr: 'note: there is no given/data/rows.jsonl; the lock says what it held',
  });
  const run = await other.tuneloom('run', `given/${file}`, '--locked');
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain('given: nothing had to run; 4 stages reused');
  expect((await other.tuneloom('plan', `given/${file}`, '--check')).exitCode).toBe(0);
}, 60_000);

test('run --rerun in a bundle without results computes them from its sources, and compares', async () => {
  await using rig = await openBundled('--with', 'sources');
  await using other = await openCliRig();
  await cp(join(rig.folder, 'given.zip'), join(other.folder, 'given.zip'));
  await other.tuneloom('open', 'given.zip', '--yes');
  const audit = await other.tuneloom('run', `given/${file}`, '--rerun');
  expect(audit.stdout).toContain(`  load  equal
  count  equal
  shout  equal
  sub/format  equal
given: 4 of 4 stages gave the same bytes again`);
}, 60_000);

test('code of an opened bundle runs after an approval only, and an edit of it needs another', async () => {
  await using rig = await openBundled('--with', 'all');
  await using other = await openCliRig();
  await cp(join(rig.folder, 'given.zip'), join(other.folder, 'given.zip'));
  await other.tuneloom('open', 'given.zip');
  const words = ['run', `given/${file}`, '--force', 'shout', '--force', 'count'];
  expect(await other.tuneloom(...words)).toMatchObject({
    exitCode: 2,
    stdout: '',
    stderr: `error: the pipeline comes from given.zip and would run what nobody has approved: count: runs the code of stages/count/index.ts; shout: runs sh $FILE_script $IN_rows $OUT_rows
  help: read it, and add --yes to approve it`,
  });
  expect((await other.tuneloom('run', `given/${file}`, '--rerun')).exitCode).toBe(2);
  expect((await other.tuneloom(...words, '--yes')).exitCode).toBe(0);
  expect((await other.tuneloom(...words)).exitCode).toBe(0);
  const audit = await other.tuneloom('run', `given/${file}`, '--rerun');
  expect(audit.stdout).toContain('4 of 4 stages gave the same bytes again');
  await writeFile(join(other.folder, 'given/scripts/shout.sh'), 'cat "$1" > "$2"\n');
  const edited = await other.tuneloom('run', `given/${file}`);
  expect(edited.exitCode).toBe(2);
  expect(edited.stderr).toContain('what nobody has approved: shout: runs sh');
  await writeFile(
    join(other.folder, 'given/stages/count/length.ts'),
    'export const lengthOf = async () => 7;\n',
  );
  expect((await other.tuneloom('run', `given/${file}`)).stderr).toContain('count: runs the code of');
}, 120_000);

test('a mark that a received folder brings along approves nothing', async () => {
  await using rig = await openBundled('--with', 'all');
  await using other = await openCliRig();
  await cp(join(rig.folder, 'given.zip'), join(other.folder, 'given.zip'));
  await other.tuneloom('open', 'given.zip', '--yes');
  const approved = await readFile(join(other.folder, 'given/.tuneloom/received.json'), 'utf8');
  // A repository whose author has approved everything, also in a folder further in.
  await using author = await openCliRig({
    ...project,
    '.tuneloom/received.json': approved,
    'pipelines/.tuneloom/received.json': approved,
  });
  const git = (...words: readonly string[]) =>
    execa('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: author.folder });
  await git('init', '--quiet');
  await git('add', '.');
  await git('commit', '--quiet', '-m', 'all');
  const opened = await other.tuneloom('open', `file://${author.folder}/.git`, 'cloned');
  expect(opened).toMatchObject({ exitCode: 0 });
  const run = await other.tuneloom('run', `cloned/${file}`);
  expect(run.exitCode).toBe(2);
  expect(run.stderr).toContain(
    'would run what nobody has approved: count: runs the code of stages/count/index.ts; shout: runs sh',
  );
}, 120_000);

test('of the settings a bundle has the public addresses of remotes, and nothing else', async () => {
  await using rig = await openCliRig(project);
  await rig.tuneloom('run', file);
  await rig.write(
    '.tuneloom/settings.yaml',
    `remotes:
  team: { url: "https://cache.example.org/x", token: "\${env.TEAM_TOKEN}", push: auto }
  disk: { url: /mnt/shared }
executors:
  box: { kind: slurm, partition: gpu }
`,
  );
  const approved = { TUNELOOM_PROJECT_SETTINGS: 'approved' };
  expect(await rig.tuneloomWith(approved, 'bundle', file, 'given.zip')).toMatchObject({ exitCode: 0 });
  const { stdout } = await execa('unzip', ['-p', join(rig.folder, 'given.zip'), '.tuneloom/settings.yaml']);
  expect(JSON.parse(stdout)).toEqual({ remotes: { team: { url: 'https://cache.example.org/x' } } });
  await using other = await openCliRig();
  await cp(join(rig.folder, 'given.zip'), join(other.folder, 'given.zip'));
  expect((await other.tuneloom('open', 'given.zip')).stdout).toContain(
    'remote: a run looks for what is missing at https://cache.example.org/x (team)',
  );
}, 60_000);

test('an unfinished run is not bundled', async () => {
  await using rig = await openCliRig(project);
  expect(await rig.tuneloom('bundle', file)).toMatchObject({
    exitCode: 2,
    stderr: `error: a bundle holds a finished run, and 4 stages would run: \`load\`, \`count\` and \`shout\`, ...
  help: finish it with \`tuneloom run\`; \`tuneloom plan\` shows why (given)`,
  });
  await rig.tuneloom('run', file);
  await rm(join(rig.folder, 'pipelines/given.lock.yaml'));
  expect((await rig.tuneloom('bundle', file)).stderr).toContain(
    'the lock given.lock.yaml does not name the present results',
  );
}, 60_000);

test.runIf(hasPython)(
  'the manifest is a valid Provenance Run Crate by roc-validator',
  async () => {
    await using rig = await openBundled(
      '--with',
      'all',
      '--author',
      'Ada Lovelace <https://orcid.org/0000-0001-2345-6789>',
    );
    await execa('unzip', ['-q', 'given.zip', '-d', 'unpacked'], { cwd: rig.folder });
    const validate = join(import.meta.dirname, '../../fixtures/bundle/validate.py');
    const { stdout } = await execa(python, [validate, join(rig.folder, 'unpacked')]);
    const issues: readonly { severity: string; check: string }[] = JSON.parse(stdout);
    expect(issues.filter(({ severity }) => severity === 'REQUIRED')).toEqual([]);
    // Recommended, and not known: the address of a stage, the publisher of a run, the affiliation of its author.
    expect([...new Set(issues.map(({ check }) => check))].sort()).toEqual([
      'Application url',
      'CreativeWork Author: RECOMMENDED Contextual Entity linked for the organizational `affiliation` property',
      'CreativeWork Author: RECOMMENDED affiliation property',
      'Main Workflow Bioschemas compliance',
      'README.md about',
      'README.md encodingFormat',
      'Root Data Entity: `publisher` property',
      'SoftwareApplication id',
    ]);
  },
  120_000,
);
