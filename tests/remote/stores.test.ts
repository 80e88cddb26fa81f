import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type OpenRemote, openRemote } from '../../src/remote/index.ts';
import { type RemoteObject, type RemoteStore, remoteName } from '../../src/runtime/index.ts';
import { nginx, python, startMoodyCache, startNginx, startS3 } from './rig/store-servers.ts';

const { signal } = new AbortController();

interface Opened extends AsyncDisposable {
  readonly remote: RemoteStore;
}

const open = (more: Partial<OpenRemote> & { readonly url: string }): Promise<RemoteStore> =>
  openRemote({ name: 'team', folder: tmpdir(), idleMilliseconds: 20_000, environment: {}, ...more });

/** Every kind of remote, on a real server. Undefined where what it needs is absent. */
const kinds: Readonly<Record<string, (() => Promise<Opened>) | undefined>> = {
  'a folder': async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tuneloom-remote-'));
    return {
      remote: await open({ url: folder }),
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  },
  'a cache server': async () => {
    const server = await startMoodyCache();
    return {
      remote: await open({ url: `${server.url}/results` }),
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
  'nginx with WebDAV':
    nginx === undefined
      ? undefined
      : async () => {
          const server = await startNginx('ada:secret-word');
          const remote = await open({
            url: `${server.url}/deep/folder`,
            username: 'ada',
            token: 'secret-word',
          });
          return { remote, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
        },
  "S3 (moto's server)":
    python === undefined
      ? undefined
      : async () => {
          const server = await startS3('models');
          Object.assign(process.env, server.environment);
          const remote = await open({
            url: 's3://models/tuneloom',
            endpoint: server.url,
            environment: server.environment,
          });
          return { remote, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
        },
};

const blobOf = (bytes: Uint8Array): RemoteObject => ({
  kind: 'blob',
  digest: createHash('sha256').update(bytes).digest('hex'),
});
const record = (digit: string): RemoteObject => ({ kind: 'record', key: digit.repeat(64) });

async function readAll(remote: RemoteStore, object: RemoteObject, offset = 0) {
  const content = await remote.get(object, { offset, signal });
  if (content === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content.bytes) chunks.push(chunk);
  return { offset: content.offset, size: content.size, bytes: Buffer.concat(chunks) };
}

async function listed(remote: RemoteStore, kind: RemoteObject['kind']): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const name of remote.list(kind, { signal })) names.push(name);
  return names.sort();
}

describe.each(Object.entries(kinds))('%s', (kind, start) => {
  test.skipIf(start === undefined)(
    'keeps small and empty objects, and gives them from any byte on',
    async () => {
      await using opened = (await start?.()) ?? expect.fail();
      const { remote } = opened;
      const bytes = Buffer.from('what a stage wrote\n');
      const [small, empty] = [blobOf(bytes), blobOf(Buffer.of())];
      expect(await remote.has([small, empty, record('a')], { signal })).toEqual(new Set());
      expect(await readAll(remote, small)).toBeUndefined();
      await remote.put(small, { bytes }, { signal });
      await remote.put(empty, { bytes: Buffer.of() }, { signal });
      await remote.put(record('a'), { bytes: Buffer.from('{}') }, { signal });
      expect(await remote.has([small, empty, record('a'), record('b')], { signal })).toEqual(
        new Set([small, empty, record('a')].map(remoteName)),
      );
      expect(await readAll(remote, small)).toEqual({ offset: 0, size: bytes.length, bytes });
      expect(await readAll(remote, small, 5)).toEqual({
        offset: 5,
        size: bytes.length,
        bytes: bytes.subarray(5),
      });
      expect(await readAll(remote, empty)).toEqual({ offset: 0, size: 0, bytes: Buffer.of() });
      await remote.put(record('a'), { bytes: Buffer.from('{"other":1}') }, { signal });
      expect((await readAll(remote, record('a')))?.bytes.toString()).toBe('{"other":1}');
    },
  );

  test.skipIf(start === undefined)(
    'keeps a file of 40 MiB, with progress up to its size',
    async () => {
      await using opened = (await start?.()) ?? expect.fail();
      const { remote } = opened;
      const folder = await mkdtemp(join(tmpdir(), 'tuneloom-large-'));
      const bytes = randomBytes(40 * 2 ** 20 + 17);
      const path = join(folder, 'large');
      await writeFile(path, bytes);
      let sent = 0;
      await remote.put(
        blobOf(bytes),
        { path, size: bytes.length },
        {
          signal,
          onProgress: (count) => {
            sent += count;
          },
        },
      );
      expect(sent).toBe(bytes.length);
      const back = await readAll(remote, blobOf(bytes), 39 * 2 ** 20);
      expect(back?.bytes.equals(bytes.subarray(back.offset))).toBe(true);
      await rm(folder, { recursive: true });
    },
    60_000,
  );

  test.skipIf(start === undefined)(
    'knows 300 of 600 objects, and lists them where it can',
    async () => {
      await using opened = (await start?.()) ?? expect.fail();
      const { remote } = opened;
      const all = [...Array(600).keys()].map((index) => blobOf(Buffer.from(`object ${index}`)));
      const half = all.filter((_, index) => index % 2 === 0);
      await Promise.all(
        half.map((object, index) =>
          remote.put(object, { bytes: Buffer.from(`object ${index * 2}`) }, { signal }),
        ),
      );
      expect(await remote.has(all, { signal })).toEqual(new Set(half.map(remoteName)));
      const digests = half.map((object) => remoteName(object).slice('cas/'.length)).sort();
      if (/folder|S3/.test(kind)) {
        expect(await listed(remote, 'blob')).toEqual(digests);
        expect(await listed(remote, 'record')).toEqual([]);
      } else await expect(listed(remote, 'blob')).rejects.toThrow('cannot list what it holds');
    },
    60_000,
  );
});

test('what a folder holds, nginx serves, and the other way round', async (context) => {
  if (nginx === undefined) return context.skip('nginx is not installed');
  await using server = await startNginx();
  const [folder, web] = [await open({ url: server.folder }), await open({ url: server.url })];
  const [one, two] = ['one', 'two'].map((text) => Buffer.from(text));
  if (one === undefined || two === undefined) return expect.fail();
  await folder.put(blobOf(one), { bytes: one }, { signal });
  await web.put(blobOf(two), { bytes: two }, { signal });
  expect((await readAll(web, blobOf(one)))?.bytes).toEqual(one);
  expect((await readAll(folder, blobOf(two)))?.bytes).toEqual(two);
});

test('an upload to S3 that was interrupted goes on with the parts that are missing', async (context) => {
  if (python === undefined) return context.skip('TUNELOOM_PYTHON names no Python with moto');
  await using server = await startS3('models');
  Object.assign(process.env, server.environment);
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-parts-'));
  const bytes = randomBytes(70 * 2 ** 20);
  const path = join(folder, 'large');
  await writeFile(path, bytes);
  const remote = await open({ url: 's3://models', endpoint: server.url, environment: server.environment });
  const stop = new AbortController();
  const sentTwice: number[] = [];
  const put = (given: AbortSignal, onProgress: (bytes: number) => void) =>
    remote.put(blobOf(bytes), { path, size: bytes.length }, { signal: given, onProgress });
  await expect(put(stop.signal, () => stop.abort(new Error('stopped')))).rejects.toThrow('stopped');
  expect(await remote.has([blobOf(bytes)], { signal })).toEqual(new Set());
  await put(signal, (count) => sentTwice.push(count));
  // Five parts of 16 MiB at most; those that had arrived are counted before the first is sent.
  expect(sentTwice.reduce((sum, count) => sum + count, 0)).toBe(bytes.length);
  const uploads = await (await fetch(`${server.url}/models?uploads`)).text();
  expect(uploads).not.toContain('<Upload>');
  expect((await readAll(remote, blobOf(bytes)))?.bytes.equals(bytes)).toBe(true);
  await rm(folder, { recursive: true });
}, 60_000);

describe('a cache server', () => {
  const bytes = randomBytes(300_000);
  const path = `/${remoteName(blobOf(bytes))}`;

  test('that breaks off can be asked for the rest, from the byte where it stopped', async () => {
    await using server = await startMoodyCache();
    server.objects.set(path, bytes);
    const remote = await open({ url: server.url });
    server.mood = () => ({ kind: 'break-off', after: 100_000 });
    const content = await remote.get(blobOf(bytes), { signal });
    const chunks: Uint8Array[] = [];
    const read = async (): Promise<void> => {
      for await (const chunk of content?.bytes ?? []) chunks.push(chunk);
    };
    await expect(read()).rejects.toMatchObject({ name: 'RemoteFailure', kind: 'interrupted' });
    const arrived = Buffer.concat(chunks);
    expect(arrived).toEqual(bytes.subarray(0, arrived.length));
    server.mood = () => undefined;
    const rest = await readAll(remote, blobOf(bytes), arrived.length);
    expect(rest).toEqual({
      offset: arrived.length,
      size: bytes.length,
      bytes: bytes.subarray(arrived.length),
    });
  });

  test('that stops in the middle is left after its time', async () => {
    await using server = await startMoodyCache();
    server.objects.set(path, bytes);
    const remote = await open({ url: server.url, idleMilliseconds: 200 });
    server.mood = () => ({ kind: 'stall', after: 1000 });
    await expect(readAll(remote, blobOf(bytes))).rejects.toMatchObject({ kind: 'interrupted' });
  });

  test('that sends another part than was asked for is refused', async () => {
    await using server = await startMoodyCache();
    const listener: RequestListener = (_, response) => {
      response
        .writeHead(206, { 'content-range': 'bytes 500-599/600', 'content-length': 100 })
        .end('x'.repeat(100));
    };
    server.answers.set(path, listener);
    process.env.TUNELOOM_RETRY_MILLISECONDS = '1';
    const remote = await open({ url: server.url });
    await expect(readAll(remote, blobOf(bytes), 10)).rejects.toThrow(
      'it sends another part than was requested',
    );
  });

  test('that redirects gets the token alone, and may not redirect to http:', async () => {
    await using server = await startMoodyCache('Bearer secret');
    await using storage = await startMoodyCache();
    storage.objects.set(path, bytes);
    const elsewhere = `${storage.url.replace('127.0.0.1', 'localhost')}${path}`;
    server.answers.set(path, (_, response) => response.writeHead(302, { location: elsewhere }).end());
    const remote = await open({ url: server.url, token: 'secret' });
    expect((await readAll(remote, blobOf(bytes)))?.bytes).toEqual(bytes);
    expect(storage.requests).toMatchObject([{ path, authorization: undefined }]);
    server.answers.set(path, (_, response) =>
      response.writeHead(302, { location: 'http://10.0.0.1/x' }).end(),
    );
    await expect(readAll(remote, blobOf(bytes))).rejects.toThrow('redirects to an address that is not https');
  });

  test.each([
    [403, 'forbidden'],
    [413, 'refused'],
    [507, 'full'],
    [405, 'refused'],
  ])('that answers an upload of 2 MiB with %d before it has arrived says so: %s', async (status, kind) => {
    await using server = await startMoodyCache();
    process.env.TUNELOOM_RETRY_MILLISECONDS = '1';
    const large = randomBytes(2 ** 21);
    server.answers.set(`/${remoteName(blobOf(large))}`, (_, response) => response.writeHead(status).end());
    const remote = await open({ url: server.url });
    let sent = 0;
    const put = remote.put(
      blobOf(large),
      { bytes: large },
      { signal, onProgress: (count) => (sent += count) },
    );
    await expect(put).rejects.toMatchObject({ name: 'RemoteFailure', kind });
    expect(sent).toBe(0);
  });
});

describe('a folder', () => {
  test('that is not there is a failure, not an empty remote', async () => {
    const remote = await open({ url: join(tmpdir(), 'not-mounted', 'results') });
    const act = { signal };
    await expect(remote.has([record('a')], act)).rejects.toThrow('there is no folder');
    await expect(remote.get(record('a'), act)).rejects.toThrow('there is no folder');
    await expect(remote.put(record('a'), { bytes: Buffer.of(1) }, act)).rejects.toThrow('there is no folder');
  });

  test('shows nothing of a file until all of it is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tuneloom-remote-'));
    const remote = await open({ url: folder });
    const missing = { path: join(folder, 'gone'), size: 3 };
    await expect(remote.put(record('a'), missing, { signal })).rejects.toThrow();
    expect(await readdir(join(folder, 'tmp'))).toEqual([]);
    expect(await readdir(join(folder, 'ac'))).toEqual([]);
    await mkdir(join(folder, 'cas'), { recursive: true });
    await rm(folder, { recursive: true });
  });
});

test.each([
  ['ftp://host/x', 'there is no remote of the kind `ftp:`'],
  ['https://ada:word@host/x', 'the address carries a password'],
  ['https://host/x?token=secret', 'the address carries a password, a query'],
  ['s3://', 'this names no bucket'],
  ['s3://bucket/../other', 'leads elsewhere'],
  ['hf:owner/model', 'this is not a dataset repository'],
  ['hf:datasets/owner/name:file', 'this is not a dataset repository'],
  ['file://host/x', 'this is not the address of a folder'],
  ['', 'it is empty'],
])('the address %s is refused, and no secret in it is repeated', async (url, message) => {
  const error = await open({ url }).catch((reason: unknown) => reason);
  expect(String(error)).toContain(message);
  expect(String(error)).not.toMatch(/word@|secret/);
});

test('a token is not sent where others can read it', async () => {
  await expect(open({ url: 'http://cache.example.org', token: 'secret' })).rejects.toThrow('over http:');
  await expect(open({ url: 'https://cache.example.org', token: 'two words' })).rejects.toThrow(
    'contains spaces',
  );
});
