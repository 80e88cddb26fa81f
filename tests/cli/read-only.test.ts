import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { disksPermitted, openDisk, withDisk } from '../runtime/rig/disk.ts';
import { type CliRig, dataProject, openCliRig } from './rig.ts';

const model = `  base:
    uses: load
    with: { init: { context_length: 8, width: 8, layers: 1, heads: 2, encoding: r50k_base } }
`;

/** The project on a separate disk, run once; after that the disk is read-only. */
async function openReadOnly(rig: CliRig) {
  const disk = openDisk(join(rig.folder, 'disk'), '20m');
  for (const [path, text] of Object.entries(dataProject)) await rig.write(`disk/${path}`, text);
  await rig.write('disk/data.yaml', dataProject['data.yaml'] + model);
  await rig.tuneloom('run', 'disk/data.yaml');
  await rm(join(rig.folder, 'disk/data.lock.yaml'));
  disk.remount('ro');
  return disk;
}

test.skipIf(!disksPermitted)(
  withDisk('results on a disk that can only be read can be looked at'),
  async () => {
    await using rig = await openCliRig();
    using _ = await openReadOnly(rig);
    const commands = [
      ['plan', 'disk/data.yaml'],
      ['show', 'disk/data.yaml', 'base'],
      ['show', 'disk/data.yaml', 'collate.train'],
      ['explain', 'disk/data.yaml', 'collate'],
      ['runs', 'disk/data.yaml'],
      ['verify', 'disk/data.yaml'],
    ];
    for (const words of commands) {
      const { exitCode, stderr } = await rig.tuneloom(...words);
      expect([words[0], exitCode, stderr]).toEqual([words[0], 0, '']);
    }
  },
);

test.skipIf(!disksPermitted)(
  withDisk('what cannot be written on such a disk is told in a sentence, without a stack trace'),
  async () => {
    await using rig = await openCliRig();
    using _ = await openReadOnly(rig);
    const told = [
      await rig.tuneloom('run', 'disk/data.yaml'),
      await rig.tuneloom('init', 'disk/new'),
      await rig.tuneloom('run', 'disk/data.yaml', '--store', 'disk/new/store'),
      await rig.tuneloom('run', 'disk/data.yaml', '--store', 'elsewhere'),
    ];
    expect(told.map(({ exitCode, stderr }) => [exitCode, stderr])).toMatchInlineSnapshot(`
      [
        [
          0,
          "warning: the store <folder>/disk/artifacts can only be read, so this run is not on record
      warning: the lock <folder>/disk/data.lock.yaml could not be written: EROFS: read-only file system",
        ],
        [
          2,
          "error: <folder>/disk/new: EROFS: read-only file system",
        ],
        [
          2,
          "error[unusable-store] the store <folder>/disk/new/store cannot be used: EROFS: read-only file system (<folder>/disk/new)
        help: give it room and write access, or choose another with --store or TUNELOOM_STORE
      1 error. Nothing ran.",
        ],
        [
          0,
          "warning: the lock <folder>/disk/data.lock.yaml could not be written: EROFS: read-only file system",
        ],
      ]
    `);
  },
);
