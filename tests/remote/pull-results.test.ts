import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPerson, type Person } from './rig/sharing-rig.ts';
import {
  type Misbehavior,
  type MoodyCache,
  nginx,
  python,
  startMoodyCache,
  startNginx,
  startS3,
} from './rig/store-servers.ts';

const settings = (remote: string, keys: readonly string[] = []): string =>
  `remotes:\n  team: { ${remote} }\n${keys.length > 0 ? `trust: { keys: [${keys.map((key) => `"${key} ada"`).join(', ')}] }\n` : ''}`;

/** Ada has pushed her results; Bob has her project and its lock, trusts her key, and has no results. */
async function openPullRig({
  remote,
  environment = {},
}: {
  readonly remote: string;
  readonly environment?: Record<string, string>;
}): Promise<{ readonly ada: Person; readonly bob: Person } & AsyncDisposable> {
  const ada = await openPerson({ settings: settings(remote), environment });
  expect((await ada.withEnvironment({ TUNELOOM_REMOTES: 'off' }, 'run')).exitCode).toBe(0);
  expect(await ada.tuneloom('push')).toMatchObject({ exitCode: 0 });
  const bob = await openPerson({ settings: settings(remote, [await ada.publicKey()]), of: ada, environment });
  return {
    ada,
    bob,
    async [Symbol.asyncDispose]() {
      await ada[Symbol.asyncDispose]();
      await bob[Symbol.asyncDispose]();
    },
  };
}

async function openMoodyRig() {
  const cache = await startMoodyCache();
  const people = await openPullRig({ remote: `url: "${cache.url}", timeout: 2s` });
  return {
    ...people,
    cache,
    async [Symbol.asyncDispose]() {
      await people[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

const pulled = async (person: Person, ...words: string[]) => {
  const { exitCode, all } = await person.tuneloom('pull', '--json', ...words);
  const { problems, ...rest } = JSON.parse(all);
  return { exitCode, ...rest, problems: problems.map(({ message }: { message: string }) => message) };
};

/** What the last run says that it did, without the network. */
const plan = async (person: Person): Promise<readonly string[]> => {
  const { all } = await person.withEnvironment({ TUNELOOM_REMOTES: 'off' }, 'plan', '--json');
  return JSON.parse(all).stages.map(({ decision }: { decision: string }) => decision);
};

const blobsOf = async (person: Person): Promise<number> =>
  (await readdir(join(person.folder, 'artifacts/blobs'), { recursive: true }).catch(() => [])).filter(
    (path) => /\/[0-9a-f]{62}$/.test(path),
  ).length;

const reused = ['reuse', 'reuse', 'reuse', 'reuse', 'reuse'];

test('pull fetches every output once, and the pipeline needs no remote any more', async () => {
  await using rig = await openMoodyRig();
  const { bob, cache } = rig;
  expect((await bob.tuneloom('pull')).all).toMatch(/^fetched \d+ outputs, \d+\.\d kB$/);
  expect(await blobsOf(bob)).toBe(11);
  expect((await bob.tuneloom('verify')).exitCode).toBe(0);
  cache.requests.length = 0;
  expect(await pulled(bob)).toMatchObject({ exitCode: 0, fetched: { outputs: 0, bytes: 0 }, lacking: [] });
  expect(cache.requests).toEqual([]);
  expect(await plan(bob)).toEqual(reused);
});

test('pull takes some stages with what they need, or a run', async () => {
  await using rig = await openMoodyRig();
  const { bob } = rig;
  expect((await bob.tuneloom('pull', 'format')).exitCode).toBe(0);
  const some = await blobsOf(bob);
  expect(some).toBeLessThan(11);
  expect((await bob.tuneloom('run')).exitCode).toBe(0);
  expect(await pulled(bob, '--run', 'latest')).toMatchObject({ exitCode: 0, lacking: [] });
  expect(await blobsOf(bob)).toBe(11);
  expect((await bob.tuneloom('pull', '--all')).all).toContain('cannot list what it holds');
});

test.for([
  { kind: 'nginx', isHere: nginx !== undefined },
  { kind: 'S3', isHere: python !== undefined },
  { kind: 'a folder', isHere: true },
])('what one person pushes to $kind, another pulls, all of it', async ({ kind, isHere }, { skip }) => {
  skip(!isHere, 'nginx is not installed, or TUNELOOM_PYTHON names no Python with moto');
  await using server = await startServer(kind);
  await using rig = await openPullRig(server);
  const words = kind === 'nginx' ? [] : ['--all'];
  expect(await pulled(rig.bob, ...words)).toMatchObject({ exitCode: 0, lacking: [], problems: [] });
  expect(await plan(rig.bob)).toEqual(reused);
  expect((await rig.bob.tuneloom('verify')).exitCode).toBe(0);
});

async function startServer(kind: string) {
  if (kind === 'nginx') {
    const server = await startNginx();
    return { ...server, remote: `url: "${server.url}/results"` };
  }
  if (kind === 'a folder') {
    const folder = await mkdtemp(join(tmpdir(), 'tuneloom-remote-'));
    const stop = () => rm(folder, { recursive: true });
    return { remote: `url: "${folder}"`, [Symbol.asyncDispose]: stop };
  }
  const server = await startS3('models');
  return { ...server, remote: `url: "s3://models/x", endpoint: "${server.url}"` };
}

test.each<[string, Misbehavior, RegExp]>([
  ['other bytes', { kind: 'other-bytes' }, /damaged/],
  ['half of each file', { kind: 'cut', to: 20 }, /damaged/],
  ['more than the file', { kind: 'longer' }, /damaged/],
])('of a host that sends %s, nothing is used', async (_, misbehavior, message) => {
  await using rig = await openMoodyRig();
  const { bob, cache } = rig;
  cache.mood = ({ method, url = '' }) =>
    method === 'GET' && url.startsWith('/cas/') ? misbehavior : undefined;
  const { exitCode, lacking, problems } = await pulled(bob);
  expect(exitCode).toBe(1);
  expect(lacking.length).toBe(11);
  expect(problems.join('\n')).toMatch(message);
  expect(await blobsOf(bob)).toBe(0);
  // A run does without, and makes the same.
  expect(await bob.tuneloom('run')).toMatchObject({ exitCode: 0 });
  expect((await bob.tuneloom('verify')).exitCode).toBe(0);
  expect(await bob.read('data.lock.yaml')).toBe(await rig.ada.read('data.lock.yaml'));
});

test('a host that breaks off and fails half of its requests gives everything', async () => {
  await using rig = await openMoodyRig();
  const { bob, cache } = rig;
  cache.mood = ({ method }, count) => {
    if (count % 2 === 0) return { kind: 'status', status: 503 };
    return method === 'GET' && count % 5 === 0 ? { kind: 'break-off', after: 100 } : undefined;
  };
  expect(await pulled(bob)).toMatchObject({ exitCode: 0, lacking: [], problems: [] });
  expect((await bob.tuneloom('verify')).exitCode).toBe(0);
  expect(await plan(bob)).toEqual(reused);
});

test('a pull that is killed leaves nothing half, and the next one ends it', async () => {
  await using rig = await openMoodyRig();
  const { bob, cache } = rig;
  for (const files of [1, 5]) {
    let gets = 0;
    const pull = bob.start(['pull']);
    cache.mood = ({ method, url = '' }) => {
      gets += method === 'GET' && url.startsWith('/cas/') ? 1 : 0;
      if (gets < files) return undefined;
      pull.kill('SIGKILL');
      return { kind: 'break-off', after: 10 };
    };
    expect((await pull).isTerminated).toBe(true);
    expect((await bob.tuneloom('verify')).all).not.toContain('holds the bytes');
  }
  cache.mood = () => undefined;
  expect(await pulled(bob)).toMatchObject({ exitCode: 0, lacking: [] });
  expect((await bob.tuneloom('verify')).exitCode).toBe(0);
});

/** Changes what the server holds under every cache key. */
function changeRecords(cache: MoodyCache, change: (text: string) => string): void {
  for (const [name, bytes] of cache.objects)
    if (name.startsWith('/ac/')) cache.objects.set(name, Buffer.from(change(bytes.toString())));
}

const withoutSignature = (text: string): string => {
  const { signature: _, ...record } = JSON.parse(text);
  return JSON.stringify(record);
};

test.each<[string, (text: string) => string, string]>([
  ['not signed', withoutSignature, 'not signed'],
  [
    'changed after they were signed',
    (text) => text.replaceAll(/(?<="outputs": \{[^}]*sha256:)[0-9a-f]{4}/g, '0000'),
    'not what was signed',
  ],
  ['no records', () => '<html>please log in</html>', 'unreadable'],
])('records that are %s are not used, and counted in a note', async (_, change, message) => {
  await using rig = await openMoodyRig();
  const { bob, cache } = rig;
  changeRecords(cache, change);
  const { problems } = await pulled(bob);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(message);
  expect(await blobsOf(bob)).toBe(0);
  expect(await plan(bob)).not.toContain('reuse');
});

test('records of someone whom the settings do not name are not used, and the note names the key', async () => {
  await using rig = await openMoodyRig();
  const { ada, bob } = rig;
  await bob.write('.tuneloom/settings.yaml', await ada.read('.tuneloom/settings.yaml'));
  const { problems } = await pulled(bob);
  expect(problems[0]).toContain(await ada.publicKey());
  expect(await blobsOf(bob)).toBe(0);
});

test('a record that is right for one key is not used under another', async () => {
  await using rig = await openMoodyRig();
  const { bob, cache } = rig;
  const names = [...cache.objects.keys()].filter((name) => name.startsWith('/ac/'));
  const bytes = names.map((name) => cache.objects.get(name) ?? expect.fail());
  for (const [index, name] of names.entries())
    cache.objects.set(name, bytes[(index + 1) % bytes.length] ?? expect.fail());
  expect((await pulled(bob)).problems[0]).toContain('unreadable');
  expect(await blobsOf(bob)).toBe(0);
});
