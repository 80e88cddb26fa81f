import { createReadStream, existsSync, statSync } from 'node:fs';
import { chmod, chown, cp, mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { nobody, runsAsOthers } from '../other-user.ts';

const root = join(import.meta.dirname, '../..');
if (!runsAsOthers) console.log('not root: the stranger is the same user, with another home');

/** A folder of a remote, served read-only; counts what is asked for and sent. */
async function serveRemote(folder: string) {
  const asked: string[] = [];
  let bytes = 0;
  const server = createServer((request, response) => {
    const path = join(folder, new URL(request.url ?? '/', 'http://x').pathname);
    asked.push(`${request.method} ${request.url?.split('/')[1]}`);
    const size = statSync(path, { throwIfNoEntry: false })?.size;
    if (size === undefined) return response.writeHead(404).end();
    response.writeHead(200, { 'content-length': size });
    if (request.method === 'HEAD') return response.end();
    bytes += size;
    return createReadStream(path).pipe(response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // a TCP server has a port
    /** What has been asked for since the last call. */
    take: () => {
      const taken = { asked: asked.splice(0), bytes };
      bytes = 0;
      return taken;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Runs tuneloom in a project as another user, whose home is empty. */
async function asStranger(project: CliRig, ...words: readonly string[]) {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [join(root, 'dist/tuneloom.js'), ...words],
    {
      cwd: project.folder,
      env: { PATH: process.env.PATH, HOME: join(project.folder, 'home'), NO_COLOR: '1' },
      extendEnv: false,
      reject: false,
      ...(runsAsOthers && { uid: nobody, gid: nobody }),
    },
  );
  return { exitCode, stdout, stderr };
}

test('law 9: a fresh clone with its lock and a shared cache is a no-op, also for another person without the data', async () => {
  await using author = await openCliRig({ 'package.json': '{}' });
  for (const name of ['quickstart.yaml', 'quickstart'])
    await cp(join(root, 'pipelines', name), join(author.folder, name), { recursive: true });
  await mkdir(join(author.folder, 'team'));
  await author.write('.tuneloom/settings.yaml', 'remotes: { team: { url: team, push: auto } }\n');
  expect((await author.tuneloom('run', 'quickstart.yaml')).exitCode).toBe(0);
  const [key] = /ed25519:\S+/.exec((await author.tuneloom('key')).stdout) ?? [];
  await using remote = await serveRemote(join(author.folder, 'team'));

  // What version control has: neither the model nor the rows.
  await using clone = await openCliRig({
    'package.json': '{}',
    '.tuneloom/settings.yaml': `remotes: { team: { url: "${remote.url}" } }\ntrust: { keys: ["${key} the author"] }\n`,
  });
  for (const name of ['quickstart.yaml', 'quickstart.lock.yaml'])
    await cp(join(author.folder, name), join(clone.folder, name));
  await mkdir(join(clone.folder, 'home'));
  await chmod(clone.folder, 0o755);
  if (runsAsOthers)
    for (const path of [clone.folder, join(clone.folder, 'home')]) await chown(path, nobody, nobody);

  const first = await asStranger(clone, 'run', 'quickstart.yaml', '--locked');
  expect(first).toMatchObject({
    exitCode: 0,
    stdout: expect.stringMatching(/exact_match +0 +1\.000[\s\S]*quickstart: 0 stages ran, 11 reused/),
  });
  // The records, and the scores that are shown: those of `before` and of `after`.
  const { asked, bytes } = remote.take();
  expect([...new Set(asked)].sort()).toEqual(['GET ac', 'GET cas', 'HEAD ac']);
  expect(asked.filter((each) => each === 'GET cas')).toHaveLength(2);
  console.log(`quickstart: ${asked.length} requests, ${bytes} bytes`);
  expect(bytes).toBeLessThan(100_000);

  expect((await asStranger(clone, 'plan', 'quickstart.yaml', '--check')).exitCode).toBe(0);
  expect((await asStranger(clone, 'run', 'quickstart.yaml')).stdout).toContain('nothing had to run');
  expect(remote.take()).toEqual({ asked: [], bytes: 0 });

  // The answers are downloaded when they are shown, and nothing else is.
  const shown = await asStranger(clone, 'show', 'quickstart.yaml', 'answers_after', '--limit', '1');
  expect(shown.exitCode).toBe(0);
  expect(remote.take().asked).toEqual(['GET cas']);
  expect(existsSync(join(clone.folder, 'quickstart'))).toBe(false);
}, 120_000);
