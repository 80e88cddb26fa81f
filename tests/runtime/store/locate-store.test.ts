import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { locateStore } from '../../../src/runtime/store/store.ts';
import { openRig } from '../rig/run-rig.ts';

test('the store is where the option says, else in the project, else beside the pipeline', async () => {
  await using rig = await openRig();
  await mkdir(join(rig.folder, 'project/pipelines'), { recursive: true });
  await rig.write('project/package.json', '{}');
  const workingDirectory = rig.folder;
  const inProject = { pipelineFile: 'project/pipelines/tiny.yaml', workingDirectory };
  const environment = { TUNELOOM_STORE: 'shared' };
  expect(locateStore({ ...inProject, store: 'mine', environment })).toBe(join(rig.folder, 'mine'));
  expect(locateStore({ ...inProject, environment })).toBe(join(rig.folder, 'shared'));
  expect(locateStore({ ...inProject, environment: {} })).toBe(join(rig.folder, 'project/artifacts'));
  expect(locateStore({ pipelineFile: 'alone/tiny.yaml', workingDirectory })).toBe(
    join(rig.folder, 'alone/artifacts'),
  );
  await mkdir(join(rig.folder, 'project/node_modules/tuneloom'), { recursive: true });
  await rig.write('project/node_modules/tuneloom/package.json', '{}');
  const installed = 'project/node_modules/tuneloom/pipelines/quickstart.yaml';
  expect(locateStore({ pipelineFile: installed, workingDirectory })).toBe(
    join(rig.folder, 'project/artifacts'),
  );
});
