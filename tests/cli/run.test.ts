import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';

test('a first run runs every stage and says why; a second one has nothing to run', async () => {
  await using rig = await openCliRig(dataProject);
  expect(await rig.tuneloom('run')).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "started  load (it has not run before)
    done     load in <time>
    started  format (it has not run before)
    done     format in <time>
    started  split (it has not run before)
    done     split in <time>
    started  tokenize (it has not run before)
    done     tokenize in <time>
    started  collate (it has not run before)
    done     collate in <time>

    data: 5 stages ran in <time>",
    }
  `);
  expect(await rig.tuneloom('run')).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "5 stages reused: load, format, split, tokenize, collate
    data: nothing had to run; 5 stages reused (<time>)",
    }
  `);
});

test('an edit runs what depends on it, and the reason names the field', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run');
  expect(await rig.tuneloom('run', '-p', 'length=32')).toMatchInlineSnapshot(`
    {
      "exitCode": 0,
      "stderr": "",
      "stdout": "4 stages reused: load, format, split, tokenize
    started  collate (\`with.max_length\` changed from 64 to 32)
    warning  collate: train: 5 of 5 records are longer than max_length 32 (the longest has 38 tokens); they were cut, so the model does not learn where they end (first: rows.jsonl:1, rows.jsonl:2, rows.jsonl:3)
    warning  collate: train: 5 of 5 examples have no token to learn: r0, r1, r2, r3, r4
    warning  collate: test: 2 of 2 records are longer than max_length 32 (the longest has 38 tokens); they were cut, so the model does not learn where they end (first: rows.jsonl:6, rows.jsonl:7)
    warning  collate: test: 2 of 2 examples have no token to learn: r5, r6
    warning  collate: validation: 3 of 3 records are longer than max_length 32 (the longest has 39 tokens); they were cut, so the model does not learn where they end (first: rows.jsonl:8, rows.jsonl:9, rows.jsonl:10)
    warning  collate: validation: 3 of 3 examples have no token to learn: r7, r8, r9
    done     collate in <time>

    data: 1 stage ran, 4 reused in <time>",
    }
  `);
});

test('a named stage runs with only what it needs', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.tuneloom('run', 'data.yaml', 'split')).stdout).toMatchInlineSnapshot(`
    "started  load (it has not run before)
    done     load in <time>
    started  format (it has not run before)
    done     format in <time>
    started  split (it has not run before)
    done     split in <time>

    data: 3 stages ran in <time>"
  `);
});

test('a failed stage ends with 1, says what to fix, and the next run continues from there', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write('rows.jsonl', dataProject['rows.jsonl'].replace('"output":"c-a-t"', '"answer":"c-a-t"'));
  expect(await rig.tuneloom('run')).toMatchInlineSnapshot(`
    {
      "exitCode": 1,
      "stderr": "",
      "stdout": "started  load (it has not run before)
    done     load in <time>
    started  format (it has not run before)
    failed   format
    skipped  split, tokenize, collate (upstream \`format\` failed)

    failed format: 1 of 10 records cannot be written with the template:
      rows.jsonl:2 (record r1): it has no field \`output\`
      help: map it with \`fields: { output: <its name in your data> }\` of the load
      stage; the row has \`instruction\`, \`answer\`

    data: 1 stage ran, 1 failed, 3 skipped in <time>
    Finished stages are kept: fix the problem and run again to continue from here.",
    }
  `);
  await rig.write('rows.jsonl', dataProject['rows.jsonl']);
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
});

test('--store names the folder of results', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.tuneloom('run', 'data.yaml', 'load', '--store', 'elsewhere');
  const again = await rig.tuneloom('run', 'data.yaml', 'load', '--store', 'elsewhere', '--json');
  expect([JSON.parse(again.stdout.split('\n').at(-1) ?? '').reused, await readdir(rig.folder)]).toEqual([
    ['load'],
    ['data.lock.yaml', 'data.yaml', 'elsewhere', 'package.json', 'rows.jsonl'],
  ]);
});

test('--json prints each event and then a summary, one JSON object per line', async () => {
  await using rig = await openCliRig(dataProject);
  const { stdout, stderr, exitCode } = await rig.tuneloom('run', '--json', 'data.yaml', 'load');
  const events = stdout.split('\n').map((line) => JSON.parse(line));
  expect([exitCode, stderr, events.map(({ type }) => type)]).toEqual([
    0,
    '',
    ['run-started', 'stage-started', 'stage-finished', 'run-finished', 'summary'],
  ]);
});
