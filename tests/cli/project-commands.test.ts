import { chmod, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('schema prints a JSON Schema, of pipelines or of one stage', async () => {
  await using rig = await openCliRig();
  const [all, split, unknown] = [
    await rig.tuneloom('schema'),
    await rig.tuneloom('schema', 'split'),
    await rig.tuneloom('schema', 'splti'),
  ];
  expect([JSON.parse(all.stdout).title, JSON.parse(split.stdout).title, unknown.exitCode]).toEqual([
    'tuneloom pipeline',
    'split',
    2,
  ]);
});

test('graph draws the pipeline as text, Mermaid and Graphviz', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.tuneloom('graph')).stdout).toMatchInlineSnapshot(`
    "data: 5 stages

      load      → records
      format    load → records
      split     format → records {train, test, validation}
      tokenize  split → tokens {train, test, validation}
      collate   tokenize → batches {train, test, validation}"
  `);
  expect((await rig.tuneloom('graph', '--format', 'mermaid')).stdout).toMatchInlineSnapshot(`
    "flowchart LR
      s0["load"]
      s1["format"]
      s2["split"]
      s3["tokenize"]
      s4["collate"]
      s0 -->|"records"| s1
      s1 -->|"records"| s2
      s2 -->|"records"| s3
      s3 -->|"tokens"| s4"
  `);
  expect(JSON.parse((await rig.tuneloom('graph', '--json')).stdout).edges).toHaveLength(4);
});

test('runs lists past runs, and shows one of them', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.tuneloom('runs')).stdout).toMatchInlineSnapshot(`"no runs yet in <folder>/artifacts"`);
  await rig.tuneloom('run');
  await rig.tuneloom('run', '-p', 'length=32');
  expect((await rig.tuneloom('runs')).stdout).toMatchInlineSnapshot(`
    "data  data.yaml
      run     started      length  ran  reused time  state
      <run>  <started>      32    1       4 <time>  succeeded
      <run>  <started>      64    5       0 <time>  succeeded"
  `);
  expect((await rig.tuneloom('runs', 'latest')).stdout).toMatchInlineSnapshot(`
    "run       <run>
    pipeline  data (data.yaml)
    params    {"length":32}
    started   <date>
    outcome   succeeded after <time>

      load      reused
      format    reused
      split     reused
      tokenize  reused
      collate   ran in <time>: \`with.max_length\` changed from 64 to 32"
  `);
  expect(JSON.parse((await rig.tuneloom('runs', '--json')).stdout).runs).toHaveLength(2);
});

test('the duration of a killed run is not shown', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'slow.yaml': `stages:
  slow: { uses: shell, with: { command: sleep 600, outputs: { text: file } } }
`,
  });
  const run = rig.start('run');
  run.stdout?.once('data', () => run.kill('SIGKILL'));
  await run;
  expect((await rig.tuneloom('runs')).stdout).toMatchInlineSnapshot(`
    "slow  slow.yaml
      run     started      ran  reused time  state
      <run>  <started>    0       0        killed"
  `);
  expect((await rig.tuneloom('runs', 'latest')).stdout).toMatchInlineSnapshot(`
    "run       <run>
    pipeline  slow (slow.yaml)
    params    {}
    started   <date>
    outcome   killed"
  `);
});

test('runs, verify and doctor find the store of a pipeline elsewhere by its file', async () => {
  await using rig = await openCliRig();
  for (const [path, text] of Object.entries(dataProject)) await rig.write(`project/${path}`, text);
  await rig.tuneloom('run', 'project/data.yaml', 'load');
  const runs = await rig.tuneloom('runs', 'project/data.yaml', 'latest', '--json');
  const verified = await rig.tuneloom('verify', 'project/data.yaml', '--json');
  const { findings } = JSON.parse((await rig.tuneloom('doctor', 'project/data.yaml', '--json')).stdout);
  expect([
    JSON.parse(runs.stdout).targets,
    JSON.parse(verified.stdout).store,
    findings.at(-1).found.split(',')[0],
  ]).toEqual([['load'], '<folder>/project/artifacts', '<folder>/project/artifacts']);
  expect([
    await rig.tuneloom('verify', 'absent.yaml'),
    await rig.tuneloom('verify', 'train'),
    await rig.tuneloom('runs', 'a', 'b'),
  ]).toMatchInlineSnapshot(`
    [
      {
        "exitCode": 2,
        "stderr": "error: there is no file \`absent.yaml\`",
        "stdout": "",
      },
      {
        "exitCode": 2,
        "stderr": "error: unexpected argument \`train\`
      help: a pipeline file ends in .yaml or .yml, and comes first",
        "stdout": "",
      },
      {
        "exitCode": 2,
        "stderr": "error: unexpected argument \`b\`
      help: a pipeline file ends in .yaml or .yml, and comes first",
        "stdout": "",
      },
    ]
  `);
});

test('verify ends with 4 if a stored file does not match its digest', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  const blobs = join(rig.folder, 'artifacts/blobs/sha256');
  const names = await readdir(blobs, { recursive: true, withFileTypes: true });
  const blob =
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()[0] ?? '';
  await chmod(blob, 0o600);
  await writeFile(blob, 'not what it was');
  const { exitCode, stdout } = await rig.tuneloom('verify', '--json');
  expect([exitCode, JSON.parse(stdout).sound]).toEqual([4, false]);
});

test('a run ends with 4 if the lock is damaged', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  await rig.write('data.lock.yaml', 'stages: [');
  const { exitCode, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr.includes('error[damaged-lock]')]).toEqual([4, true]);
});

test('doctor finds a backend that computes', async () => {
  await using rig = await openCliRig();
  const { findings } = JSON.parse((await rig.tuneloom('doctor', '--json')).stdout);
  expect(findings.map(({ subject }: { subject: string }) => subject)).toEqual([
    'node',
    'system',
    'processors',
    'memory',
    'gpu',
    'backend onnx',
    'backend cpu',
    'backend webgpu',
    'backend cuda',
    'backend tensorflow',
    'speed',
    'repeatable',
    'sandbox',
    'store',
  ]);
  expect(findings.find(({ subject }: { subject: string }) => subject === 'backend onnx').state).toBe('good');
});
