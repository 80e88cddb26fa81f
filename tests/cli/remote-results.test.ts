import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { reportProject } from '../browser/report-project.ts';
import { openUi } from '../server/rig.ts';
import { type CliRig, openCliRig } from './rig.ts';

/** A project whose store is new: its run took every result from a remote, and only the scores are here. */
async function openReused(): Promise<CliRig> {
  const rig = await openCliRig(reportProject(20));
  await mkdir(join(rig.folder, 'team'));
  await rig.write('.tuneloom/settings.yaml', 'remotes:\n  team: { url: team, push: auto }\n');
  expect((await rig.tuneloom('run', 'report.yaml')).exitCode).toBe(0);
  await rm(join(rig.folder, 'artifacts'), { recursive: true });
  expect((await rig.tuneloom('run', 'report.yaml', '--locked')).exitCode).toBe(0);
  return rig;
}

test('a report shows what only a remote has', async () => {
  await using rig = await openReused();
  expect((await rig.tuneloom('report', 'report.yaml', '-o', 'before.md')).exitCode).toBe(0);
  const text = await readFile(join(rig.folder, 'before.md'), 'utf8');
  expect(text).toContain('training loss 3.000 to 0.04918');
  expect(text).toContain('20 answers of answers_1 and answers_2');
});

test('a plot shows what only a remote has; without remotes it says what is missing', async () => {
  await using rig = await openReused();
  const plot = (...words: string[]) =>
    rig.tuneloom('plot', 'report.yaml', 'history', '-o', 'losses.svg', ...words);
  const alone = await rig.tuneloomWith({ TUNELOOM_REMOTES: 'off' }, 'plot', 'report.yaml', 'history');
  expect([alone.exitCode, alone.stderr]).toEqual([2, expect.stringContaining('there is nothing to draw')]);
  expect(await plot()).toMatchObject({ exitCode: 0, stdout: 'wrote losses.svg' });
});

test('the pages bring what only a remote has once somebody looks at it', async () => {
  await using rig = await openReused();
  await using ui = await openUi(rig);
  const { rows } = await ui.get<{ rows: readonly { run: string }[] }>('runs');
  const [run] = rows;
  const answers = await ui.get(`artifact?run=${run?.run}&stage=answers_1&output=responses&limit=1`);
  expect(answers).toMatchObject({ total: 20 });
});
