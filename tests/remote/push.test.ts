import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRemoteRig, type RemoteRig, token } from './rig/remote-rig.ts';

const base = join(import.meta.dirname, '../../pipelines/quickstart/base');
const byteLevel = join(import.meta.dirname, '../fixtures/model/gguf/llama.gguf');
const stages = `  base: { uses: load, with: { model: ${base} } }\n`;

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

interface Received {
  /** Of repositories that were created. */
  readonly created: unknown[];
  /** Large files by the sha256 of their content, with the header that came along. */
  readonly stored: Map<string, { readonly bytes: Buffer; readonly authorization: string | undefined }>;
  /** The lines of commits. */
  readonly commits: { readonly key: string; readonly value: Record<string, unknown> }[][];
}

/** Lets the hub take uploads as huggingface.co does: small files in the commit, large ones by Git LFS. */
function acceptUploads({ hub }: RemoteRig, { exists = false } = {}): Received {
  const received: Received = { created: [], stored: new Map(), commits: [] };
  const answer = (path: string, reply: (body: Buffer, request: IncomingMessage) => object | number): void => {
    const listener: RequestListener = async (request, response) => {
      const body = await bodyOf(request);
      const isStorage = path.startsWith('/storage');
      const status =
        isStorage || request.headers.authorization === `Bearer ${token}` ? reply(body, request) : 401;
      if (typeof status === 'number') response.writeHead(status).end('{}');
      else response.setHeader('content-type', 'application/json').end(JSON.stringify(status));
    };
    hub.answers.set(path, listener);
  };
  answer('/api/repos/create', (body) => {
    received.created.push(JSON.parse(body.toString()));
    return exists ? 409 : { url: `${hub.endpoint}/me/model`, id: '1' };
  });
  answer('/api/models/me/model/preupload/main', (body) => ({
    files: JSON.parse(body.toString()).files.map(({ path }: { path: string }) => ({
      path,
      uploadMode: /\.(gguf|safetensors)$/.test(path) ? 'lfs' : 'regular',
    })),
  }));
  answer('/me/model.git/info/lfs/objects/batch', (body) => ({
    transfer: 'basic',
    objects: JSON.parse(body.toString()).objects.map(({ oid, size }: { oid: string; size: number }) => {
      answer(`/storage/${oid}`, (bytes, request) => {
        received.stored.set(oid, { bytes, authorization: request.headers.authorization });
        return 200;
      });
      // Another host, as far as HTTP is concerned.
      const href = `${hub.endpoint.replace('127.0.0.1', 'localhost')}/storage/${oid}`;
      return { oid, size, actions: { upload: { href } } };
    }),
  }));
  answer('/api/models/me/model/commit/main', (body) => {
    received.commits.push(
      body
        .toString()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    return { commitOid: '1'.repeat(40), commitUrl: `${hub.endpoint}/me/model/commit/1` };
  });
  return received;
}

test('an exported model is pushed in one commit to a new private repository, its token to the hub alone', async () => {
  await using rig = await openRemoteRig({}, stages.replace(base, byteLevel));
  const received = acceptUploads(rig);
  const before = await readdir(tmpdir());
  const words = ['base', '--push', 'hf:me/model', '--format', 'gguf', '--dtype', 'q8_0'];
  await rig.withEnvironment({ HF_TOKEN: token }, 'run');
  const { exitCode, all } = await rig.withEnvironment({ HF_TOKEN: token }, 'export', ...words);
  expect({ exitCode, all }).toEqual({
    exitCode: 0,
    all: 'pushed to <hub>/me/model\n  README.md\n  model-Q8_0.gguf',
  });
  expect(received.created).toEqual([
    { name: 'model', organization: 'me', visibility: 'private', type: 'model' },
  ]);
  const [[header, ...files] = []] = received.commits;
  expect(header?.value.summary).toBe('Upload a model with tuneloom');
  expect(files.map(({ key, value }) => [key, value.path])).toEqual([
    ['file', 'README.md'],
    ['lfsFile', 'model-Q8_0.gguf'],
  ]);
  const [[oid, { bytes, authorization }] = ['', { bytes: Buffer.of(), authorization: '' }]] = received.stored;
  expect(createHash('sha256').update(bytes).digest('hex')).toBe(oid);
  expect(bytes.subarray(0, 4).toString()).toBe('GGUF');
  expect(authorization).toBeUndefined();
  expect(
    (await readdir(tmpdir())).filter((name) => !before.includes(name) && /tuneloom-export/.test(name)),
  ).toEqual([]);
});

test('a repository that exists gets a further commit, and the folder is kept too', async () => {
  await using rig = await openRemoteRig({}, stages);
  const received = acceptUploads(rig, { exists: true });
  await rig.withEnvironment({}, 'run');
  const words = ['base', '--to', 'out', '--push', 'hf:me/model'];
  const { exitCode, all } = await rig.withEnvironment({ HF_TOKEN: token }, 'export', ...words);
  expect([exitCode, all.split('\n')[0]]).toEqual([0, 'wrote out, pushed to <hub>/me/model']);
  expect(received.commits.length).toBe(1);
  const [, ...files] = received.commits[0] ?? [];
  expect(files.map(({ value }) => value.path)).toEqual((await readdir(join(rig.folder, 'out'))).sort());
});

test('files that the repository holds are not sent again, and nothing is committed without a change', async () => {
  await using rig = await openRemoteRig({}, stages);
  const received = acceptUploads(rig, { exists: true });
  await rig.withEnvironment({}, 'run');
  const push = (...words: string[]) =>
    rig.withEnvironment({ HF_TOKEN: token }, 'export', 'base', '--push', 'hf:me/model', ...words);
  expect((await push('--to', 'out')).exitCode).toBe(0);
  const blobs = await Promise.all(
    (await readdir(join(rig.folder, 'out'))).map(async (path) => {
      const bytes = await readFile(join(rig.folder, 'out', path));
      const [kind, content] = path.endsWith('.safetensors')
        ? (['sha256', bytes] as const)
        : (['sha1', Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes])] as const);
      const oid = createHash(kind).update(content).digest('hex');
      const lfs = { oid, size: bytes.length, pointerSize: 130 };
      return { path, type: 'file', size: bytes.length, oid, ...(kind === 'sha256' && { lfs }) };
    }),
  );
  holdPaths(rig, blobs);
  const again = await push();
  expect([again.exitCode, again.all.split('\n')[0]]).toEqual([0, '<hub>/me/model holds all of it already']);
  expect([received.commits.length, received.stored.size]).toEqual([1, 1]);
  holdPaths(
    rig,
    blobs.map((blob) => (blob.path === 'config.json' ? { ...blob, oid: '0'.repeat(40) } : blob)),
  );
  expect((await push()).exitCode).toBe(0);
  const [, ...files] = received.commits[1] ?? [];
  expect(files.map(({ value }) => value.path)).toEqual(['config.json']);
  expect(received.stored.size).toBe(1);
});

/** Lets the hub say which files it holds. */
function holdPaths({ hub }: RemoteRig, files: readonly object[]): void {
  hub.answers.set('/api/models/me/model/paths-info/main', (_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify(files));
  });
}

test.each([
  [false, [], 'public'],
  [true, ['note: the repository exists already: who may see it is unchanged'], 'public'],
])('--public makes a new repository public (there already: %s)', async (exists, notes, visibility) => {
  await using rig = await openRemoteRig({}, stages);
  const received = acceptUploads(rig, { exists });
  await rig.withEnvironment({}, 'run');
  const words = ['export', 'base', '--push', 'hf:me/model', '--public'];
  const { exitCode, all } = await rig.withEnvironment({ HF_TOKEN: token }, ...words);
  expect(exitCode).toBe(0);
  expect(all.split('\n').filter((line) => line.startsWith('note:'))).toEqual(notes);
  expect(received.created).toMatchObject([{ visibility }]);
});

test.each<[string, string, Record<string, string>, string]>([
  ['without a token', 'hf:me/model', {}, 'pushing to the hub needs a token'],
  ['offline', 'hf:me/model', { HF_TOKEN: token, HF_HUB_OFFLINE: '1' }, 'HF_HUB_OFFLINE forbids pushing'],
  ['to a data set', 'hf:datasets/me/rows', { HF_TOKEN: token }, 'is not a model repository'],
  ['to a path', 'hf:me/model:folder', { HF_TOKEN: token }, 'is not a model repository'],
  ['to nonsense', 'me/model', { HF_TOKEN: token }, 'is not a model repository'],
])('a push %s is refused before anything is written', async (_, address, environment, message) => {
  await using rig = await openRemoteRig({}, stages);
  await rig.withEnvironment({}, 'run');
  const { exitCode, all } = await rig.withEnvironment(
    environment,
    'export',
    'base',
    '--to',
    'out',
    '--push',
    address,
  );
  expect(exitCode).not.toBe(0);
  expect(all).toContain(message);
  expect(await readdir(rig.folder)).not.toContain('out');
  expect(rig.hub.requests).toEqual([]);
});

test('a token without the permission is an error that does not show it', async () => {
  await using rig = await openRemoteRig({}, stages);
  acceptUploads(rig);
  await rig.withEnvironment({}, 'run');
  const wrong = 'hf_another0token';
  const { exitCode, all } = await rig.withEnvironment(
    { HF_TOKEN: wrong },
    'export',
    'base',
    '--push',
    'hf:me/model',
  );
  expect(exitCode).not.toBe(0);
  expect(all).toContain('the token in HF_TOKEN may not write to `hf:me/model`');
  expect(all).not.toContain(wrong);
});
