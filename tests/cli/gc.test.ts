import { readdirSync } from 'node:fs';
import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, dataProject, openCliRig } from './rig.ts';

const longAgo = new Date(Date.now() - 60 * 24 * 60 * 60 * 1000);

/** A project whose lock and last three runs have other results than its first run. */
async function olderProject(): Promise<CliRig> {
  const rig = await openCliRig(dataProject);
  await rig.tuneloom('run', '-p', 'length=32');
  for (const length of ['40', '41', '42']) await rig.tuneloom('run', '-p', `length=${length}`);
  await rig.tuneloom('run');
  const actions = join(rig.folder, 'artifacts', 'actions');
  for (const name of readdirSync(actions, { recursive: true, encoding: 'utf8' }))
    if (name.endsWith('.json')) await utimes(join(actions, name), longAgo, longAgo);
  return rig;
}

test('gc shows what it removes and what it keeps and why, asks first, and keeps what can be reused', async () => {
  await using rig = await olderProject();
  const dry = await rig.tuneloom('gc', '--dry-run');
  expect(dry.stdout.replaceAll(/[\d.]+ k?B/g, '<size>').replaceAll(/last used .*/g, 'last used <date>')).toBe(
    `<folder>/artifacts holds <size>, and <size> afterwards
           remove  keep  because
  results       2     7  5 locked, 2 of the last runs

The largest to remove:
  collate of data  <size>  last used <date>
1 lock of this project: the results that they name stay.
Nothing was removed: this was a dry run.`,
  );
  const unasked = await rig.tuneloom('gc');
  expect([unasked.exitCode, unasked.stderr]).toEqual([
    2,
    'error: this removes results, and there is no terminal to ask for confirmation\n  help: add --yes to remove them, or --dry-run to only list them',
  ]);
  const { removed, goes } = JSON.parse((await rig.tuneloom('gc', '--yes', '--json')).stdout);
  expect([removed.things, removed.spared, goes.length]).toEqual([2, 0, 2]);
  expect((await rig.tuneloom('gc', '--yes')).stdout).toContain('Nothing to remove.');
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  expect((await rig.tuneloom('run')).stdout).toContain('nothing had to run');
});

test('gc rejects an invalid time and an invalid size', async () => {
  await using rig = await openCliRig(dataProject);
  expect((await rig.tuneloom('gc', '--older-than', 'ever')).stderr).toContain(
    'It takes a number with its unit, as 30d or 12h.',
  );
  expect((await rig.tuneloom('gc', '--max-size', '50')).exitCode).toBe(2);
  expect((await rig.tuneloom('gc')).stdout).toContain('Nothing to remove.');
});
