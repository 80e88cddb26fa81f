import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { nobody, runsAsOthers } from '../other-user.ts';
import { disksPermitted, openDisk, withDisk } from '../runtime/rig/disk.ts';
import { type CliRig, dataProject, type Ended, openCliRig } from './rig.ts';

/** Every path below a folder with its time and the hash of its bytes: what a store that is only read must keep. */
const contentOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .map((path) => {
      const stat = lstatSync(join(folder, path));
      const bytes = stat.isFile() ? readFileSync(join(folder, path)) : '';
      return `${path} ${stat.mtimeMs} ${createHash('sha256').update(bytes).digest('hex')}`;
    });

/** A project that has filled the store `shared`, and then reads from it and writes to its own. */
async function openProject(): Promise<CliRig> {
  const rig = await openCliRig(dataProject);
  await rig.tuneloom('run', '--store', 'shared');
  await rig.write('.tuneloom/settings.yaml', 'readonly_stores: [shared]\n');
  return rig;
}

const summaryOf = ({ stdout }: Ended) => {
  const { ran, reused } = JSON.parse(stdout.split('\n').at(-1) ?? '');
  return { ran, reused };
};

const blobsIn = (store: string): number =>
  readdirSync(join(store, 'blobs'), { recursive: true, encoding: 'utf8' }).filter((name) => name.length > 40)
    .length;

test('a result in a read-only store below is a hit, and what runs reads it there and writes above', async () => {
  await using rig = await openProject();
  const before = contentOf(join(rig.folder, 'shared'));
  const first = await rig.tuneloom('run');
  expect(first).toMatchObject({ exitCode: 0, stderr: '' });
  expect(first.stdout).toContain('nothing had to run; 5 stages reused');
  expect(existsSync(join(rig.folder, 'artifacts/blobs'))).toBe(false);
  expect(readFileSync(join(rig.folder, 'artifacts/outputs/data/split/records/train'), 'utf8')).toContain(
    'Spell',
  );
  expect((await rig.tuneloom('plan', '--check')).exitCode).toBe(0);
  const shown = await rig.tuneloom('show', 'split.train', '--limit', '1');
  expect([shown.exitCode, shown.stdout.includes('Spell')]).toEqual([0, true]);

  const edited = await rig.tuneloom('run', '-p', 'length=32', '--json');
  expect(summaryOf(edited)).toEqual({ ran: ['collate'], reused: ['load', 'format', 'split', 'tokenize'] });
  expect(blobsIn(join(rig.folder, 'artifacts'))).toBe(3);
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  const rerun = await rig.tuneloom('run', '--rerun', '--json');
  expect(JSON.parse(rerun.stdout.split('\n').at(-1) ?? '').stages).toEqual(
    ['load', 'format', 'split', 'tokenize', 'collate'].map((stage) => ({
      stage,
      verdict: 'equal',
      differences: [],
    })),
  );
  expect(contentOf(join(rig.folder, 'shared'))).toEqual(before);
});

test('what a read-only store loses runs again, and a store that is not there is told', async () => {
  await using rig = await openProject();
  await rm(join(rig.folder, 'shared/blobs'), { recursive: true });
  expect(summaryOf(await rig.tuneloom('run', '--json')).ran).toHaveLength(5);
  await rm(join(rig.folder, 'shared'), { recursive: true });
  expect(await rig.tuneloom('run')).toMatchObject({
    exitCode: 0,
    stderr: 'warning: there is no store <folder>/shared, which .tuneloom/settings.yaml:1 names',
  });
});

test.skipIf(!disksPermitted)(
  withDisk('a store on a disk that can only be read works below a writable one'),
  async () => {
    await using rig = await openCliRig(dataProject);
    using disk = openDisk(join(rig.folder, 'disk'), '20m');
    await rig.tuneloom('run', '--store', 'disk/store');
    disk.remount('ro');
    await rig.write('.tuneloom/settings.yaml', 'readonly_stores: [disk/store]\n');
    const first = await rig.tuneloom('run');
    expect([first.exitCode, first.stderr]).toEqual([0, '']);
    expect(first.stdout).toContain('nothing had to run; 5 stages reused');
    const edited = await rig.tuneloom('run', '-p', 'length=32', '--json');
    expect(summaryOf(edited).ran).toEqual(['collate']);
  },
);

const script = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

function runAsNobody(rig: CliRig, ...words: readonly string[]) {
  const command = [
    '--reuid',
    `${nobody}`,
    '--regid',
    `${nobody}`,
    '--clear-groups',
    process.execPath,
    script,
  ];
  const { status, stdout, stderr } = spawnSync('setpriv', [...command, ...words], {
    cwd: rig.folder,
    env: { PATH: process.env.PATH, HOME: rig.folder, NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { status, stdout, stderr: stderr.replaceAll(rig.folder, '<folder>').trim() };
}

test.skipIf(!runsAsOthers)(
  `a person who may not write to a store reads from it, alone and below their own${runsAsOthers ? '' : ' (this user cannot become another)'}`,
  async () => {
    await using rig = await openProject();
    chmodSync(rig.folder, 0o755);
    mkdirSync(join(rig.folder, 'own'));
    chmodSync(join(rig.folder, 'own'), 0o777);
    spawnSync('chmod', ['-R', 'a+rX,a-w', join(rig.folder, 'shared')]);
    const before = contentOf(join(rig.folder, 'shared'));
    const alone = runAsNobody(rig, 'run', '--locked', '--store', 'shared');
    expect([alone.status, alone.stderr]).toEqual([
      0,
      'warning: the store <folder>/shared can only be read, so this run is not on record',
    ]);
    expect(alone.stdout).toContain('nothing had to run; 5 stages reused');
    const below = runAsNobody(rig, 'run', '--locked', '--store', 'own/store');
    expect([below.status, below.stderr]).toEqual([0, '']);
    expect(below.stdout).toContain('nothing had to run; 5 stages reused');
    const edited = runAsNobody(rig, 'run', '-p', 'length=32', '--store', 'own/store');
    expect([edited.status, edited.stdout.includes('1 stage ran, 4 reused')]).toEqual([0, true]);
    expect(contentOf(join(rig.folder, 'shared'))).toEqual(before);
  },
);
