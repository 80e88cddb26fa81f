import { existsSync, readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPipeline } from '../../../src/runtime/execute/run-pipeline.ts';
import { planPipeline } from '../../../src/runtime/plan/plan-pipeline.ts';
import { createStore, openStore } from '../../../src/runtime/store/store.ts';
import { verifyStore } from '../../../src/runtime/store/verify-store.ts';
import { disksPermitted, openDisk, withDisk } from '../rig/disk.ts';
import { decisions, openRig } from '../rig/run-rig.ts';

test.skipIf(!disksPermitted)(
  withDisk(
    'on a full disk a stage fails with the name of the store, nothing is lost, and room is all it takes',
  ),
  async () => {
    await using rig = await openRig();
    using disk = openDisk(join(rig.folder, 'disk'), '160k');
    const root = join(rig.folder, 'disk', 'store');
    await rig.write('small.txt', 'a');
    await rig.write('large.txt', 'a'.repeat(200_000));
    const dag = rig.dag({
      small: { uses: 'read', with: { path: 'small.txt' } },
      large: { uses: 'read', with: { path: 'large.txt' } },
    });
    const failed = await rig.run(dag, { store: openStore(root), jobs: 1 });
    expect(decisions(failed)).toEqual({ small: 'ran', large: 'failed' });
    expect(failed.stages.get('large')).toMatchObject({
      failure: {
        kind: 'storage',
        code: 'ENOSPC',
        path: root,
        message: 'ENOSPC: no space left on device',
      },
    });
    expect((await verifyStore(openStore(root))).problems).toEqual([]);
    disk.remount('size=2m');
    expect(decisions(await rig.run(dag, { store: openStore(root) }))).toEqual({
      small: 'reused',
      large: 'ran',
    });
    expect(['tmp', 'state', 'leases'].flatMap((name) => readdirSync(join(root, name)))).toEqual([]);
  },
);

test.skipIf(!disksPermitted)(
  withDisk('without any room a run says that the store cannot be used, and leaves none behind'),
  async () => {
    await using rig = await openRig();
    using disk = openDisk(join(rig.folder, 'disk'), '4k');
    const root = join(rig.folder, 'disk', 'store');
    await rig.write('disk/filler', 'x'.repeat(4096));
    await rig.write('small.txt', 'a');
    const dag = rig.dag({ small: { uses: 'read', with: { path: 'small.txt' } } });
    const message = `the store ${root} cannot be used: ENOSPC: no space left on device`;
    await expect(rig.run(dag, { store: openStore(root) })).rejects.toThrow(message);
    expect(existsSync(root)).toBe(false);
    disk.remount('size=2m');
    expect(decisions(await rig.run(dag, { store: openStore(root) }))).toEqual({ small: 'ran' });
  },
);

test.skipIf(!disksPermitted)(
  withDisk('where there is room for no more than the record of the run, its stages fail and the run ends'),
  async () => {
    await using rig = await openRig();
    using _disk = openDisk(join(rig.folder, 'disk'), '64k');
    const root = join(rig.folder, 'disk', 'store');
    await rig.write('small.txt', 'a');
    const dag = rig.dag({ small: { uses: 'read', with: { path: 'small.txt' } } });
    await createStore(openStore(root));
    const { bavail, bsize } = statfsSync(root);
    await rig.write('disk/filler', 'x'.repeat((bavail - 1) * bsize));
    const failed = await rig.run(dag, { store: openStore(root) });
    expect([failed.outcome, decisions(failed)]).toEqual(['failed', { small: 'failed' }]);
    expect(failed.stages.get('small')).toMatchObject({
      failure: { kind: 'storage', code: 'ENOSPC', path: root },
    });
  },
);

test.skipIf(!disksPermitted)(
  withDisk('a store that cannot be written can be planned with; what would have to run says so'),
  async () => {
    await using rig = await openRig();
    using disk = openDisk(join(rig.folder, 'disk'), '2m');
    const root = join(rig.folder, 'disk', 'store');
    const before = rig.dag({ small: { uses: 'read', with: { path: await rig.write('small.txt', 'a') } } });
    await rig.run(before, { store: openStore(root) });
    disk.remount('ro');
    const after = rig.dag({ other: { uses: 'read', with: { path: await rig.write('other.txt', 'b') } } });
    for (const dag of [before, after]) {
      expect((await planPipeline({ dag, store: openStore(root) })).ok).toBe(true);
      const { stageProcess, store } = { stageProcess: 'none', store: openStore(root) };
      const refused = {
        ok: false,
        error: [{ code: 'unusable-store', message: expect.stringContaining('EROFS: read-only file system') }],
      };
      const idle = { ok: true, value: { outcome: 'succeeded', journalProblem: expect.any(String) } };
      expect(await runPipeline({ dag, store, stageProcess })).toMatchObject(dag === before ? idle : refused);
    }
  },
);
