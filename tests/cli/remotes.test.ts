import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CliRig, dataProject, type Ended, openCliRig } from './rig.ts';

const stages = ['load', 'format', 'split', 'tokenize', 'collate'];

/**
 * A project that has run and sent its results to a folder, and a fresh clone of it with its lock and no store. Both belong
 * to one person, whose key counts.
 */
async function openClone({ url }: { readonly url?: string } = {}): Promise<CliRig> {
  const rig = await openCliRig();
  for (const [path, text] of Object.entries(dataProject)) await rig.write(`first/${path}`, text);
  await mkdir(join(rig.folder, 'team'));
  await rig.write('first/.tuneloom/settings.yaml', 'remotes:\n  team: { url: ../team, push: auto }\n');
  expect((await rig.tuneloom('run', 'first/data.yaml')).stdout).toMatch(/sent 5 results to team/);
  await rm(join(rig.folder, 'first/artifacts'), { recursive: true });
  await cp(join(rig.folder, 'first'), join(rig.folder, 'clone'), { recursive: true });
  await rig.write(
    'clone/.tuneloom/settings.yaml',
    `remotes:\n  team: { url: "${url ?? '../team'}", timeout: 1s }\n`,
  );
  return rig;
}

const run = (rig: CliRig, ...words: string[]) => rig.tuneloom('run', 'clone/data.yaml', ...words);

const summaryOf = ({ stdout }: Ended) => {
  const { ran, reused } = JSON.parse(stdout.split('\n').at(-1) ?? '');
  return { ran, reused };
};

const store = (rig: CliRig, path: string): string => join(rig.folder, 'clone/artifacts', path);

const filesBelow = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
        .filter((entry) => entry.isFile())
        .map(({ name }) => name)
    : [];

/** Changes every file of one kind in the remote. */
const spoil = (rig: CliRig, kind: 'cas' | 'ac', change: (path: string) => void): void => {
  for (const name of readdirSync(join(rig.folder, 'team', kind)))
    change(join(rig.folder, 'team', kind, name));
};

test('a fresh clone computes nothing and fetches nothing but records; what is needed later is fetched then', async () => {
  await using rig = await openClone();
  const first = await run(rig, '--json', '--locked');
  expect([first.exitCode, first.stderr, summaryOf(first)]).toEqual([0, '', { ran: [], reused: stages }]);
  expect(filesBelow(store(rig, 'blobs'))).toEqual([]);
  expect(filesBelow(store(rig, 'outputs'))).toEqual([]);
  await rename(join(rig.folder, 'team'), join(rig.folder, 'away'));
  expect(await rig.tuneloom('plan', 'clone/data.yaml', '--check')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await run(rig)).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await rig.tuneloom('verify', 'clone/data.yaml')).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('5 records (5 with files that only a remote has)'),
  });
  expect((await rig.tuneloom('gc', 'clone/data.yaml', '--max-size', '1KB', '--yes')).exitCode).toBe(0);
  expect((await rig.tuneloom('plan', 'clone/data.yaml', '--check')).exitCode).toBe(0);
  await rename(join(rig.folder, 'away'), join(rig.folder, 'team'));

  const shown = await rig.tuneloom('show', 'clone/data.yaml', 'split.test', '--limit', '1');
  expect([shown.exitCode, shown.stderr, shown.stdout.includes('Spell')]).toEqual([0, '', true]);
  expect(filesBelow(store(rig, 'blobs'))).toHaveLength(1);
  const edited = await run(rig, '-p', 'length=32', '--json');
  expect(summaryOf(edited)).toEqual({ ran: ['collate'], reused: stages.slice(0, 4) });
  // One part of split, the parts of tokenize, and what collate made of them.
  expect(filesBelow(store(rig, 'blobs'))).toHaveLength(7);
  expect(filesBelow(store(rig, 'downloads'))).toEqual([]);
  const rerun = await run(rig, '--rerun', '--json');
  expect(JSON.parse(rerun.stdout.split('\n').at(-1) ?? '').stages).toEqual(
    stages.map((stage) => ({ stage, verdict: 'equal', differences: [] })),
  );
});

test('`plan --remote` asks remotes, and without a lock finds the same', async () => {
  await using rig = await openClone();
  await rm(join(rig.folder, 'clone/data.lock.yaml'));
  expect((await rig.tuneloom('plan', 'clone/data.yaml', '--check')).exitCode).toBe(3);
  const plan = await rig.tuneloom('plan', 'clone/data.yaml', '--check', '--remote', '--json');
  expect(plan.exitCode).toBe(0);
  expect(JSON.parse(plan.stdout).stages).toMatchObject(
    stages.map((stage) => ({ stage, decision: 'reuse', remote: 'team' })),
  );
  expect((await rig.tuneloom('plan', 'clone/data.yaml', '--check')).exitCode).toBe(0);
});

test('with --no-remote no remote is asked', async () => {
  await using rig = await openClone();
  expect(summaryOf(await run(rig, '--no-remote', '--json'))).toEqual({ ran: stages, reused: [] });
});

test('a remote that is down costs one warning, and what it does not give is computed again', async () => {
  await using rig = await openClone();
  await run(rig);
  await rename(join(rig.folder, 'team'), join(rig.folder, 'away'));
  const edited = await run(rig, '-p', 'length=32', '--json');
  const events = edited.stdout.split('\n').map((line) => JSON.parse(line));
  expect(edited.exitCode).toBe(0);
  // collate lacks tokenize's result, that lacks split's, and so on.
  expect(summaryOf(edited)).toEqual({ ran: stages, reused: [] });
  expect(events.filter(({ type }) => type === 'remote-problem')).toEqual([
    {
      type: 'remote-problem',
      remote: 'team',
      message: 'there is no folder <folder>/team',
      help: 'is its drive mounted? A new remote begins with an empty folder',
    },
  ]);
  const fresh = await rig.tuneloom('run', 'first/data.yaml');
  expect([fresh.exitCode, fresh.stdout.match(/no folder <folder>\/team/g)?.length]).toEqual([0, 1]);
});

test.each([
  ['other bytes', (path: string) => writeFileSync(path, 'x'.repeat(readFileSync(path).length))],
  ['fewer bytes', (path: string) => truncateSync(path, 10)],
  ['more bytes', (path: string) => writeFileSync(path, 'more', { flag: 'a' })],
])('a remote whose files have %s is not believed', async (_, change) => {
  await using rig = await openClone();
  await run(rig);
  spoil(rig, 'cas', change);
  const edited = await run(rig, '-p', 'length=32');
  expect([edited.exitCode, edited.stdout.includes('5 stages ran')]).toEqual([0, true]);
  expect(edited.stdout).toMatch(/the remote team: the file [0-9a-f]{64} there is damaged, and not used/);
  expect((await rig.tuneloom('verify', 'clone/data.yaml')).exitCode).toBe(0);
  expect(filesBelow(store(rig, 'downloads'))).toEqual([]);
});

test('a record that was changed, or that an unknown key signed, is not used; with --locked it is refused', async () => {
  await using rig = await openClone();
  await cp(join(rig.folder, 'team'), join(rig.folder, 'sound'), { recursive: true });
  spoil(rig, 'ac', (path) => {
    const record = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify({ ...record, measurements: { poisoned: 1 } }));
  });
  const locked = await run(rig, '--locked');
  expect([locked.exitCode, locked.stderr.match(/error\[untrusted-result\]/g)?.length]).toEqual([4, 5]);
  expect(locked.stderr.match(/help: it is damaged or forged; run without --locked/g)?.length).toBe(5);
  const poisoned = await run(rig);
  expect(poisoned.stdout).toMatch(
    /the remote team: \d results? there (is|are) not what was signed, and not used/,
  );
  expect(poisoned.stdout).toContain('5 stages ran');

  await rm(store(rig, ''), { recursive: true });
  await rm(join(rig.folder, 'team'), { recursive: true });
  await rename(join(rig.folder, 'sound'), join(rig.folder, 'team'));
  // Another person, whose settings do not name the first one's key.
  await rename(join(rig.folder, '.config'), join(rig.folder, 'config-of-the-first'));
  const stranger = await run(rig);
  expect(stranger.stdout).toMatch(/signed by ed25519:[^ ]+, which the settings do not name, and not used/);
  expect(stranger.stdout).toContain('5 stages ran');
});

interface Counted extends AsyncDisposable {
  readonly url: string;
  readonly requests: string[];
}

/** A server on loopback that notes what it is asked. */
async function serve(answer: Parameters<typeof createServer>[1] & {}): Promise<Counted> {
  const requests: string[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/cache`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test('plain `plan` and a run with nothing to do touch no network', async () => {
  await using server = await serve((_, response) => response.writeHead(404).end());
  await using rig = await openClone({ url: server.url });
  await rig.tuneloom('plan', 'clone/data.yaml');
  expect(server.requests).toEqual([]);
  await run(rig);
  expect(server.requests.length).toBeGreaterThan(0);
  server.requests.length = 0;
  await run(rig);
  await rig.tuneloom('plan', 'clone/data.yaml');
  await rig.tuneloom('explain', 'clone/data.yaml', 'collate');
  expect(server.requests).toEqual([]);
});

test('a remote that never answers costs its time limit once, and the run goes on', async () => {
  await using server = await serve(() => {});
  await using rig = await openClone({ url: server.url });
  const ended = await run(rig);
  expect([ended.exitCode, ended.stdout.match(/the remote team: .*/g)]).toEqual([
    0,
    [
      'the remote team: it has not answered for 1 s; `timeout` of the remote, in the settings, gives it longer',
    ],
  ]);
  expect(ended.stdout).toContain('5 stages ran');
});

test('nothing of the settings is in a key', async () => {
  await using rig = await openClone();
  await run(rig, '--no-remote');
  const keys = filesBelow(store(rig, 'actions')).toSorted();
  expect(keys).toEqual(
    readdirSync(join(rig.folder, 'team/ac'))
      .map((key) => `${key}.json`)
      .toSorted(),
  );
});
