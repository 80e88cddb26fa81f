import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openLoopbackHub } from '../../remote/rig/loopback-hub.ts';
import { openCliRig } from '../rig.ts';

const program = join(import.meta.dirname, '../../../dist/tuneloom.js');

/** The bundle of a pipeline that has run. */
async function bundleBytes(): Promise<Buffer> {
  await using rig = await openCliRig({
    'package.json': '{ "license": "MIT" }',
    'p.yaml': 'name: p\nstages:\n  load:\n    with: { records: rows.jsonl }\n',
    'rows.jsonl': '{"id":"a","text":"one"}\n',
  });
  expect((await rig.tuneloom('run', 'p.yaml')).exitCode).toBe(0);
  expect((await rig.tuneloom('bundle', 'p.yaml', 'paper.zip')).exitCode).toBe(0);
  return await readFile(join(rig.folder, 'paper.zip'));
}

/** Runs `open` in an empty folder. */
async function openIn(folder: string, address: string, environment: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [program, 'open', address], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, NO_COLOR: '1', ...environment },
    extendEnv: false,
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

const opened = `opened paper: 6 files, 1 record, 0 results
license: https://spdx.org/licenses/MIT
next: cd paper && tuneloom run p.yaml --locked`;

test('open takes a bundle from a web server, and leaves nothing of one that is absent or cut short', async () => {
  const bytes = await bundleBytes();
  const server = createServer(({ url }, response) => {
    if (url === '/paper.zip') response.end(bytes);
    else if (url === '/cut.zip') response.end(bytes.subarray(0, bytes.length - 30));
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const at = `http://127.0.0.1:${port}`;
  await using rig = await openCliRig();
  try {
    expect(await openIn(rig.folder, `${at}/paper.zip`)).toMatchObject({ exitCode: 0, stdout: opened });
    expect((await rig.tuneloom('run', 'paper/p.yaml', '--locked')).exitCode).toBe(0);
    const before = await readdir(rig.folder);
    expect((await openIn(rig.folder, `${at}/cut.zip`)).exitCode).toBe(2);
    expect(await openIn(rig.folder, `${at}/none.zip`)).toMatchObject({
      exitCode: 2,
      stderr: `error: \`${at}/none.zip\` cannot be downloaded: 127.0.0.1:${port} answers with status 404
  help: is the address right?`,
    });
    const signed = await openIn(rig.folder, `${at}/paper.zip?token=s3cr3t`);
    expect(signed.exitCode).toBe(2);
    expect(signed.stderr).not.toContain('s3cr3t');
    expect(await readdir(rig.folder)).toEqual(before);
  } finally {
    server.close();
  }
}, 60_000);

test('open takes a bundle from a dataset or a model of the hub, at a revision, and refuses what is no archive', async () => {
  const bytes = await bundleBytes();
  const files = { 'paper.zip': bytes, 'rows.jsonl': Buffer.from('{"text":"one"}\n') };
  const commit = '1'.repeat(40);
  const repository = { refs: { main: commit, 'v1.0': commit }, commits: { [commit]: files } };
  await using hub = await openLoopbackHub({ 'datasets/ada/papers': repository, 'ada/model': repository });
  const environment = { HF_ENDPOINT: hub.endpoint };
  for (const address of ['hf:datasets/ada/papers:paper.zip', 'hf:ada/model@v1.0:paper.zip']) {
    await using rig = await openCliRig();
    expect(await openIn(rig.folder, address, environment)).toMatchObject({ exitCode: 0, stdout: opened });
  }
  await using rig = await openCliRig();
  const before = await readdir(rig.folder);
  for (const address of [
    'hf:datasets/ada/papers:rows.jsonl',
    'hf:datasets/ada/papers:none.zip',
    'hf:datasets/ada/none:paper.zip',
    'hf:datasets/ada/papers@v9:paper.zip',
    'hf:datasets/ada/papers',
    'hf:ada/model',
    'hf:ada',
  ]) {
    const answer = await openIn(rig.folder, address, environment);
    expect([address, answer.exitCode, answer.stderr]).toEqual([
      address,
      2,
      expect.stringMatching(/^error: .+\n {2}help: /),
    ]);
  }
  hub.faults.push({ path: 'paper.zip', times: 9, corrupt: true });
  expect((await openIn(rig.folder, 'hf:datasets/ada/papers:paper.zip', environment)).exitCode).toBe(2);
  expect((await readdir(rig.folder)).filter((name) => !name.startsWith('.cache'))).toEqual(before);
  expect(existsSync(join(rig.folder, 'paper'))).toBe(false);
}, 60_000);
