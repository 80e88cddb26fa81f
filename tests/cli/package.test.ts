import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkout, linkDependencies, openNpmRig, pack } from './npm-rig.ts';

const lastLineOf = (text: string): string => text.split('\n').findLast((line) => /^\w+: /.test(line)) ?? '';

test('npm pack gives a package that runs the quickstart in an empty folder', async () => {
  await using rig = await openNpmRig();
  const tarball = await pack(rig);
  const project = join(rig.folder, 'project');
  await linkDependencies(project);
  await rig.shell('project', `npm install --save-dev --ignore-scripts ../${tarball}`);
  const quickstart = 'npx tuneloom run node_modules/tuneloom/pipelines/quickstart.yaml';
  expect(lastLineOf(await rig.shell('project', quickstart))).toMatch(/^quickstart: 11 stages ran in /);
  expect(existsSync(join(project, 'artifacts/blobs'))).toBe(true);
  expect(await rig.shell('project', quickstart)).toMatch(
    /^quickstart: nothing had to run; 11 stages reused/m,
  );
  const copied = 'cp -r node_modules/tuneloom/pipelines .\nnpx tuneloom run pipelines/quickstart.yaml';
  expect(await rig.shell('project', copied)).toMatch(/^quickstart: nothing had to run; 11 stages reused/m);
}, 180_000);

test('init of an installed package depends on the tarball, or on the version where npm fetched it from a registry', async () => {
  await using rig = await openNpmRig();
  const tarball = await pack(rig);
  await linkDependencies(join(rig.folder, 'project'));
  await rig.shell('project', `npm install --save-dev --ignore-scripts ../${tarball}`);
  const dependencyOf = async (folder: string) => {
    await rig.shell('project', `npx tuneloom init ../${folder}`);
    const { devDependencies } = JSON.parse(await readFile(join(rig.folder, folder, 'package.json'), 'utf8'));
    return devDependencies.tuneloom;
  };
  expect(await dependencyOf('deep/other')).toBe(`file:../../${tarball}`);
  const record = join(rig.folder, 'project/node_modules/.package-lock.json');
  const fetched = (await readFile(record, 'utf8')).replace(`"resolved": "file:../${tarball}",`, '');
  await writeFile(record, fetched);
  const { version } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'));
  expect(await dependencyOf('from-registry')).toBe(`^${version}`);
}, 180_000);
