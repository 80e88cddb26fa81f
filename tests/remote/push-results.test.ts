import { createHash } from 'node:crypto';
import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openPerson } from './rig/sharing-rig.ts';
import { type MoodyCache, python, startMoodyCache } from './rig/store-servers.ts';

const settings = (url: string, more = ''): string => `remotes:\n  team: { url: "${url}"${more} }\n`;

/** A person who has run the pipeline, and a cache server. */
async function openPushRig({ more = '', authorization }: { more?: string; authorization?: string } = {}) {
  const cache = await startMoodyCache(authorization);
  const ada = await openPerson({ settings: settings(cache.url, more) });
  expect((await ada.withEnvironment({ TUNELOOM_REMOTES: 'off' }, 'run')).exitCode).toBe(0);
  return {
    ada,
    cache,
    async [Symbol.asyncDispose]() {
      await ada[Symbol.asyncDispose]();
      await cache[Symbol.asyncDispose]();
    },
  };
}

const namesIn = (cache: MoodyCache, folder: string): readonly string[] =>
  [...cache.objects.keys()].filter((name) => name.startsWith(folder)).sort();

/** The digests of everything that a record needs, read from what the server holds. */
function neededBy(cache: MoodyCache, record: Buffer): readonly string[] {
  const { outputs } = JSON.parse(record.toString());
  const digests = JSON.stringify(outputs).match(/sha256(-folder)?:[0-9a-f]{64}/g) ?? [];
  return digests.flatMap((digest) => {
    const [kind, hex = ''] = digest.split(':');
    const manifest = cache.objects.get(`/cas/${hex}`)?.toString() ?? '{"files":[]}';
    const files = kind === 'sha256' ? [] : JSON.parse(manifest).files;
    return [hex, ...files.map((file: { digest: string }) => file.digest.replace('sha256:', ''))];
  });
}

/** Nothing that is visible is half there, and every file is what its name says. */
function expectWhole(cache: MoodyCache): void {
  for (const [name, bytes] of cache.objects) {
    if (name.startsWith('/cas/'))
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(name.slice('/cas/'.length));
    else for (const hex of neededBy(cache, bytes)) expect([...cache.objects.keys()]).toContain(`/cas/${hex}`);
  }
}

const sentLine = (text: string): string | undefined =>
  text.split('\n').find((line) => line.startsWith('team'));

test('push sends files before the records that need them, and a second push sends nothing', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  const seen = new Set<string>();
  cache.mood = ({ method, url = '' }) => {
    if (method === 'PUT') seen.add(url);
    return undefined;
  };
  const first = await ada.tuneloom('push');
  expect(first.exitCode).toBe(0);
  expect(sentLine(first.all)).toMatch(/^team \(http:\/\/<host>\/\): sent 5 results, 11 files, \d+\.\d kB$/);
  expectWhole(cache);
  const order = [...seen];
  for (const [name, bytes] of cache.objects)
    if (name.startsWith('/ac/'))
      for (const hex of neededBy(cache, bytes))
        expect(order.indexOf(`/cas/${hex}`)).toBeLessThan(order.indexOf(name));
  seen.clear();
  expect(await ada.tuneloom('push')).toEqual({
    exitCode: 0,
    all: 'team (http://<host>/): nothing to send; 5 results were there',
  });
  expect([...seen]).toEqual([]);
});

test('push sends some stages with what they need, a run, or everything', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  const results = async (...words: string[]): Promise<number> =>
    JSON.parse((await ada.tuneloom('push', '--dry-run', '--json', ...words)).all).sent.results;
  expect(await results('split')).toBe(3);
  expect(await results('--run', 'latest')).toBe(5);
  expect(await results('-p', 'length=32')).toBe(4);
  expect((await ada.withEnvironment({ TUNELOOM_REMOTES: 'off' }, 'run', '-p', 'length=32')).exitCode).toBe(0);
  expect([await results(), await results('--all')]).toEqual([5, 6]);
  expect(cache.objects.size).toBe(0);
  expect((await ada.tuneloom('push', 'collate', '-p', 'length=16')).all).toContain(
    'there is no result of `collate`',
  );
  expect((await ada.tuneloom('push', '-p', 'length=16')).all).toContain('note: without a result: collate');
});

test('push succeeds where the host fails half of its requests', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  cache.mood = (_, count) =>
    count % 2 === 0 ? undefined : count % 4 === 1 ? { kind: 'hang-up' } : { kind: 'status', status: 503 };
  expect(sentLine((await ada.tuneloom('push')).all)).toContain('sent 5 results, 11 files');
  expectWhole(cache);
  expect(namesIn(cache, '/ac/').length).toBe(5);
});

test('a push that is killed shows nothing half, and the next one sends only the rest', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  for (const files of [1, 4, 9]) {
    let puts = 0;
    const push = ada.start(['push']);
    cache.mood = ({ method }) => {
      puts += method === 'PUT' ? 1 : 0;
      if (puts >= files) push.kill('SIGKILL');
      return puts >= files ? { kind: 'silence' } : undefined;
    };
    expect((await push).isTerminated).toBe(true);
    expectWhole(cache);
  }
  const before = cache.objects.size;
  cache.mood = () => undefined;
  cache.requests.length = 0;
  expect((await ada.tuneloom('push')).exitCode).toBe(0);
  expectWhole(cache);
  expect(namesIn(cache, '/ac/').length).toBe(5);
  expect(cache.requests.filter(({ method }) => method === 'PUT').length).toBe(cache.objects.size - before);
});

test('push --check sends again what the remote has lost', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  await ada.tuneloom('push');
  const [lost = ''] = namesIn(cache, '/cas/');
  cache.objects.delete(lost);
  expect(sentLine((await ada.tuneloom('push')).all)).toContain('nothing to send');
  expect(sentLine((await ada.tuneloom('push', '--check')).all)).toMatch(/: sent \d results?, 1 file, /);
  expectWhole(cache);
});

test('push --force replaces what is damaged there', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  await ada.tuneloom('push');
  const [damaged = ''] = namesIn(cache, '/cas/');
  cache.objects.set(damaged, Buffer.from('damaged'));
  expect(sentLine((await ada.tuneloom('push', '--force')).all)).toContain('sent 5 results, 11 files');
  expectWhole(cache);
});

test('a record without a signature that counts is replaced, and one that counts stays', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  await ada.tuneloom('push');
  const [one = '', two = ''] = namesIn(cache, '/ac/');
  const signed = cache.objects.get(one) ?? expect.fail();
  const { signature: _, ...unsigned } = JSON.parse(signed.toString());
  cache.objects.set(one, Buffer.from(JSON.stringify(unsigned)));
  cache.objects.set(two, Buffer.from('{"outputs":{}}'));
  expect((await ada.tuneloom('push')).all).toMatch(
    /note: 2 records there had no signature that counts, and were replaced/,
  );
  expect(cache.objects.get(one)).toEqual(signed);
  expectWhole(cache);
});

test('a file that is damaged on this machine is not sent', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  const shelves = join(ada.folder, 'artifacts/blobs/sha256');
  const [shelf = ''] = await readdir(shelves);
  const [blob = ''] = await readdir(join(shelves, shelf));
  const path = join(shelves, shelf, blob);
  await chmod(path, 0o644);
  await writeFile(path, 'damaged');
  const { exitCode } = await ada.tuneloom('push');
  expect(exitCode).toBe(0);
  expect([...cache.objects.keys()]).not.toContain(`/cas/${shelf}${blob}`);
  expectWhole(cache);
});

// biome-ignore lint/suspicious/noTemplateCurlyInString: it is how settings name a variable.
const token = 'token: "${env.TEAM_TOKEN}"';

test.each([
  ['a bearer token', `, ${token}`, 'Bearer s3cret-word'],
  ['a password', `, username: ada, ${token}`, `Basic ${btoa('ada:s3cret-word')}`],
])('%s comes from the environment, and is shown nowhere', async (_, more, authorization) => {
  await using rig = await openPushRig({ more, authorization });
  const { ada } = rig;
  const without = await ada.tuneloom('push');
  expect([without.exitCode, without.all.includes('TEAM_TOKEN, which is not set')]).toEqual([2, true]);
  const wrong = await ada.withEnvironment({ TEAM_TOKEN: 'wr0ng-word' }, 'push');
  expect([wrong.exitCode, wrong.all.includes('status 401'), wrong.all.includes('wr0ng')]).toEqual([
    1,
    true,
    false,
  ]);
  const right = await ada.withEnvironment({ TEAM_TOKEN: 's3cret-word' }, 'push');
  expect([right.exitCode, right.all.includes('s3cret')]).toEqual([0, false]);
  const listed = await ada.withEnvironment({ TEAM_TOKEN: 's3cret-word' }, 'remote', 'list', '--json');
  expect(listed.all).not.toContain('s3cret');
});

test('a host that is silent or gone ends push with an error after its time', async () => {
  await using rig = await openPushRig({ more: ', timeout: 300ms' });
  const { ada, cache } = rig;
  cache.mood = () => ({ kind: 'silence' });
  expect((await ada.tuneloom('push')).all).toMatchInlineSnapshot(`
    "error: the remote \`team\`: no connection to <host> (nothing arrived for 0.3 s)
      help: check the network and the address"
  `);
  await cache[Symbol.asyncDispose]();
  expect((await ada.tuneloom('push')).all).toMatchInlineSnapshot(`
    "error: the remote \`team\`: no connection to <host> (connect ECONNREFUSED <host>)
      help: check the network and the address"
  `);
});

test('with push: auto a run sends its results, but not in a job that tests a pull request', async () => {
  await using cache = await startMoodyCache();
  await using ada = await openPerson({ settings: settings(cache.url, ', push: auto') });
  const job = { GITHUB_EVENT_NAME: 'pull_request' };
  expect((await ada.withEnvironment(job, 'run')).exitCode).toBe(0);
  expect(cache.objects.size).toBe(0);
  const run = await ada.tuneloom('run', '-p', 'length=32');
  expect(run.all).toMatch(/^sent 5 results to team/m);
  expectWhole(cache);
  expect(namesIn(cache, '/ac/').length).toBe(5);
});

test('a job that tests a pull request sends nothing, unless it is told to', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  const job = { GITHUB_EVENT_NAME: 'pull_request', CI: 'true' };
  const refused = await ada.withEnvironment(job, 'push');
  expect(refused).toMatchInlineSnapshot(`
    {
      "all": "error: nothing is sent: this job tests a pull request (GITHUB_EVENT_NAME says so), and such jobs read only
      help: where that is meant, set TUNELOOM_PUSH=auto",
      "exitCode": 2,
    }
  `);
  expect(cache.requests).toEqual([]);
  const keyless = await ada.withEnvironment({ ...job, TUNELOOM_PUSH: 'auto' }, 'push');
  expect([keyless.exitCode, keyless.all.includes('TUNELOOM_SIGNING_KEY is not set')]).toEqual([2, true]);
  const { secret, public_key } = JSON.parse((await ada.tuneloom('key', '--new', '--json')).all);
  const told = await ada.withEnvironment(
    { ...job, TUNELOOM_PUSH: 'auto', TUNELOOM_SIGNING_KEY: secret },
    'push',
  );
  expect([told.exitCode, told.all.includes(secret)]).toEqual([0, false]);
  const [record] = namesIn(cache, '/ac/').map((name) => String(cache.objects.get(name)));
  expect(record).toContain(public_key);
  expect((await ada.withEnvironment({ TUNELOOM_PUSH: 'never' }, 'push')).exitCode).toBe(2);
});

test('a key is made once, for its owner only, and verifies what was pushed', async (context) => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  const publicKey = await ada.publicKey();
  const path = join(ada.folder, '../.config/tuneloom/signing-key');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  await ada.tuneloom('push');
  expect(await ada.publicKey()).toBe(publicKey);
  const secret = (await readFile(path, 'utf8')).trim();
  for (const bytes of cache.objects.values()) expect(bytes.includes(secret)).toBe(false);
  if (python === undefined) return context.skip('TUNELOOM_PYTHON names no Python');
  const records = namesIn(cache, '/ac/').map((name) => String(cache.objects.get(name)));
  const verified = await execa(
    python,
    [join(import.meta.dirname, '../fixtures/sharing/verify.py'), publicKey],
    {
      input: JSON.stringify(records),
    },
  );
  expect(verified.stdout).toBe('5 verified');
});

test('remotes are added to the settings, which keep their comments', async () => {
  await using ada = await openPerson({ settings: '# ours\nstore: artifacts # here\n' });
  const added = await ada.tuneloom(
    'remote',
    'add',
    'team',
    's3://models/x',
    '--push',
    'auto',
    '--region',
    'eu',
  );
  expect(added.exitCode).toBe(0);
  expect((await ada.tuneloom('remote', 'add', 'disk', 'results', '--token-from', 'TOKEN')).exitCode).toBe(0);
  expect(await ada.read('.tuneloom/settings.yaml')).toMatchInlineSnapshot(`
    "# ours
    store: artifacts # here
    remotes:
      team:
        url: s3://models/x
        push: auto
        region: eu
      disk:
        url: results
        token: \${env.TOKEN}
    "
  `);
  expect((await ada.tuneloom('remote', 'list')).all).toMatchInlineSnapshot(`
    "name  url            push   from
    team  s3://models/x  auto   .tuneloom/settings.yaml:4
    disk  results        never  .tuneloom/settings.yaml:8"
  `);
  expect((await stat(join(ada.folder, 'results'))).isDirectory()).toBe(true);
  for (const words of [
    ['9', 's3://x'],
    ['a', 'ftp://x'],
    ['a'],
    ['a', 's3://xyz', '--token-from', 'a-secret!'],
  ]) {
    const refused = await ada.tuneloom('remote', 'add', ...words);
    expect([refused.exitCode, refused.all.includes('a-secret!')]).toEqual([2, false]);
  }
  await rm(join(ada.folder, 'results'), { recursive: true });
  expect((await ada.withEnvironment({ TOKEN: 'x' }, 'remote', 'check', 'disk')).all).toMatchInlineSnapshot(`
    "✖ disk (results): there is no folder <home>/project/results
      help: is its drive mounted? A new remote begins with an empty folder"
  `);
});

test('remote check writes a file and reads it back, and says what is wrong', async () => {
  await using rig = await openPushRig();
  const { ada, cache } = rig;
  const check = async (): Promise<unknown> => {
    const { exitCode, all } = await ada.tuneloom('remote', 'check', '--write', '--json');
    const [{ milliseconds: _, url: __, ...rest }] = JSON.parse(all).remotes;
    return { exitCode, ...rest };
  };
  expect(await check()).toEqual({ exitCode: 0, name: 'team', reads: true, writes: true });
  cache.mood = ({ method }) => (method === 'PUT' ? { kind: 'status', status: 403 } : undefined);
  expect(await check()).toMatchObject({ exitCode: 1, reads: true, writes: false });
  cache.mood = ({ method }) => (method === 'GET' ? { kind: 'other-bytes' } : undefined);
  expect(await check()).toMatchObject({
    exitCode: 1,
    problem: 'what was written there is not what is read back',
  });
});
