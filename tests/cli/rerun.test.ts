import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataProject, openCliRig } from './rig.ts';
import { tuningStages } from './tuning.ts';

/** The store without its hash cache; a rerun must not change it. */
const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name !== 'stat-cache.bin')
    .sort();

const training = `name: tune\n${tuningStages(1)}`;

test('data stages and a training give the same bytes again, and the store does not change', async () => {
  const rows = Array.from({ length: 6 }, (_, row) => ({ text: `w${row} w${row + 1} w${row + 2}` }));
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.json': JSON.stringify(rows),
    'tune.yaml': training,
  });
  await rig.tuneloom('run');
  const [before, lock] = [
    filesIn(join(rig.folder, 'artifacts')),
    readFileSync(join(rig.folder, 'tune.lock.yaml')),
  ];
  const audit = await rig.tuneloom('run', '--rerun');
  expect(audit.stdout).toContain('tune: 6 of 6 stages gave the same bytes again');
  expect(audit).toMatchObject({ exitCode: 0, stderr: '' });
  expect(filesIn(join(rig.folder, 'artifacts'))).toEqual(before);
  expect(readFileSync(join(rig.folder, 'tune.lock.yaml'))).toEqual(lock);
  const otherThreads = await rig.tuneloom('run', '--rerun', 'train', '--backend', 'cpu');
  expect(otherThreads.exitCode).toBe(0);
  expect(otherThreads.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /differs, as expected \(another engine, processor or number of threads computed it\): model: model\.safetensors: \d+ of 28 tensors/,
  );
});

test('a command that depends on something else differs, with the line and the record of the difference', async () => {
  await using rig = await openCliRig(dataProject);
  await rig.write(
    'data.yaml',
    `${dataProject['data.yaml']}  drift:
    uses: shell
    with: { command: 'echo same > "$OUT_text"; cat ${rig.folder}/drift.txt >> "$OUT_text"', outputs: { text: file } }
  after:
    uses: shell
    from: { text: drift }
    with: { command: 'cp "$IN_text" "$OUT_more"', inputs: { text: file }, outputs: { more: file } }
`,
  );
  await rig.write('drift.txt', '{"id":"r1","text":"a"}\n');
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  await rig.write('drift.txt', '{"id":"r1","text":"b"}\n');
  const audit = await rig.tuneloom('run', '--rerun', 'load', 'drift', 'after');
  expect(audit).toMatchObject({
    exitCode: 4,
    stdout: `  drift  differs: text: line 2 (record r1)
  after  equal
  load  equal
data: 2 of 3 stages gave the same bytes again; 1 differs and should not`,
  });
  const json = JSON.parse(
    (await rig.tuneloom('run', '--rerun', 'drift', '--json')).stdout.split('\n').at(-1) ?? '',
  );
  expect(json.stages).toEqual([
    { stage: 'drift', verdict: 'differs', differences: [{ output: 'text', where: 'line 2 (record r1)' }] },
  ]);
  expect((await rig.tuneloom('run', '--rerun', '-p', 'length=32', 'collate')).stdout).toContain(
    'collate  left out: there is no result to compare with',
  );
  expect(existsSync(join(rig.folder, 'artifacts', 'actions'))).toBe(true);
});
