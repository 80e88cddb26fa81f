import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('run --locked needs a lock', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.tuneloom('run', '--locked')).toMatchInlineSnapshot(`
    {
      "exitCode": 2,
      "stderr": "error[missing-lock] the pipeline data has no lock
      help: run it once without --locked, and commit the lock that this writes
    1 error. Nothing ran.",
      "stdout": "",
    }
  `);
});

test('run --locked runs what the lock describes', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  const { exitCode, stdout } = await rig.tuneloom('run', '--locked', '--store', 'empty');
  expect([exitCode, stdout.split('\n').at(-1)]).toEqual([0, 'data: 5 stages ran in <time>']);
});

test('run --locked ends with 4 if data or configuration differ from the lock, says which, and runs nothing', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  expect(await rig.tuneloom('run', '--locked', '-p', 'length=32')).toMatchInlineSnapshot(`
    {
      "exitCode": 4,
      "stderr": "data.yaml:16:3 error[differs-from-lock] stage \`collate\` is not what the lock says
      16 |   collate:
         |   ^^^^^^^
      help: undo the change, or run without --locked to update the lock
    1 error. Nothing ran.",
      "stdout": "",
    }
  `);
  await rig.write('rows.jsonl', dataProject['rows.jsonl'].replace('fox', 'ram'));
  expect(await rig.tuneloom('run', '--locked')).toMatchInlineSnapshot(`
    {
      "exitCode": 4,
      "stderr": "data.yaml:6:22 error[differs-from-lock] \`rows.jsonl\` is not the file that the lock names
       6 |     with: { records: rows.jsonl }
         |                      ^^^^^^^^^^
      help: restore it, or run without --locked to update the lock
    1 error. Nothing ran.",
      "stdout": "",
    }
  `);
  const { stdout } = await rig.tuneloom('run', '--locked', '--json');
  expect(JSON.parse(stdout).errors).toMatchInlineSnapshot(`
    [
      {
        "code": "differs-from-lock",
        "column": 22,
        "end_column": 32,
        "end_line": 6,
        "file": "data.yaml",
        "help": "restore it, or run without --locked to update the lock",
        "line": 6,
        "message": "\`rows.jsonl\` is not the file that the lock names",
      },
    ]
  `);
  expect(JSON.parse((await rig.tuneloom('runs', '--json')).stdout).runs).toHaveLength(1);
});

test('run --locked ends with 4 if a stage gives another result, and does not change the lock', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'p.yaml': `name: when
stages:
  now: { uses: shell, with: { command: date +%N > "$OUT_time", outputs: { time: file } } }
`,
  });
  await rig.tuneloom('run');
  const lock = await readFile(join(rig.folder, 'p.lock.yaml'), 'utf8');
  expect((await rig.tuneloom('run', '--locked')).exitCode).toBe(0);
  expect(await rig.tuneloom('run', '--locked', '--force', 'now')).toMatchInlineSnapshot(`
    {
      "exitCode": 4,
      "stderr": "error[differs-from-lock] results differ from the lock: \`now\`
      help: the data and the configuration are those of the lock; another processor, backend or command gives other bytes",
      "stdout": "started  now (forced)
    done     now in <time>

    when: 1 stage ran in <time>",
    }
  `);
  expect(await readFile(join(rig.folder, 'p.lock.yaml'), 'utf8')).toBe(lock);
});
