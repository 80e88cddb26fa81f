import { readdirSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disksPermitted, openDisk, withDisk } from '../runtime/rig/disk.ts';
import { dataProject, openCliRig } from './rig.ts';

const filesIn = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();

test('law 9: a fresh clone with its lock and a shared store is a no-op, wherever it is', async () => {
  await using rig = await openCliRig();
  for (const [path, text] of Object.entries(dataProject)) await rig.write(`first/${path}`, text);
  await rig.tuneloom('run', 'first/data.yaml', '--store', 'shared');
  await cp(join(rig.folder, 'first'), join(rig.folder, 'far/away/clone'), { recursive: true });
  const locked = await rig.tuneloom('run', 'far/away/clone/data.yaml', '--locked', '--store', 'shared');
  expect(locked).toMatchObject({ exitCode: 0, stderr: '' });
  expect(locked.stdout).toContain('nothing had to run; 5 stages reused');
  expect(
    (await rig.tuneloom('plan', 'far/away/clone/data.yaml', '--check', '--store', 'shared')).exitCode,
  ).toBe(0);
});

test('two projects on one store share equal results and keep their runs apart', async () => {
  await using rig = await openCliRig();
  for (const project of ['one', 'two'])
    for (const [path, text] of Object.entries(dataProject))
      await rig.write(`${project}/${path}`, text.replace('name: data', `name: ${project}`));
  await rig.write(
    'two/data.yaml',
    dataProject['data.yaml'].replace('length: 64', 'length: 32').replace('name: data', 'name: two'),
  );
  await rig.tuneloom('run', 'one/data.yaml', '--store', 'shared');
  const second = await rig.tuneloom('run', 'two/data.yaml', '--store', 'shared', '--json');
  const { ran, reused } = JSON.parse(second.stdout.split('\n').at(-1) ?? '');
  expect([ran, reused]).toEqual([['collate'], ['load', 'format', 'split', 'tokenize']]);
  expect(readdirSync(join(rig.folder, 'shared', 'outputs')).sort()).toEqual(['one', 'two']);
  expect((await rig.tuneloom('verify', '--store', 'shared')).exitCode).toBe(0);
});

test.skipIf(!disksPermitted)(
  withDisk(
    'on a store that can only be read a run with nothing to do does nothing, and says that it is not on record',
  ),
  async () => {
    await using rig = await openCliRig(dataProject);
    using disk = openDisk(join(rig.folder, 'disk'), '20m');
    await rig.tuneloom('run', '--store', 'disk/store');
    disk.remount('ro');
    const before = filesIn(join(rig.folder, 'disk'));
    const again = await rig.tuneloom('run', '--locked', '--store', 'disk/store');
    expect([again.exitCode, again.stderr]).toEqual([
      0,
      'warning: the store <folder>/disk/store can only be read, so this run is not on record',
    ]);
    expect(again.stdout).toContain('nothing had to run; 5 stages reused');
    const edited = await rig.tuneloom('run', '-p', 'length=32', '--store', 'disk/store');
    expect([edited.exitCode, edited.stderr.includes('cannot be used: EROFS')]).toEqual([2, true]);
    expect(filesIn(join(rig.folder, 'disk'))).toEqual(before);
  },
);
