import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRemote } from '../../src/remote/index.ts';
import { type FetchedContent, type RemoteProblem, Remotes } from '../../src/runtime/index.ts';
import { digestOf } from '../../src/runtime/key/digest.ts';
import { manifestOf } from '../../src/runtime/store/folder-manifest.ts';
import { blobPath } from '../../src/runtime/store/store-layout.ts';
import { openRig } from '../runtime/rig/run-rig.ts';

const hexOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

interface Served extends AsyncDisposable {
  readonly url: string;
  /** `<name> <range>` of each request. */
  readonly requests: string[];
}

/** Serves blobs by their names. `cut`: after how many bytes each answer breaks off, the last for all that follow. */
async function serve(
  blobs: ReadonlyMap<string, Uint8Array>,
  { cut = [], ranges = true }: { readonly cut?: readonly number[]; readonly ranges?: boolean } = {},
): Promise<Served> {
  const requests: string[] = [];
  const left = [...cut];
  const server = createServer((request, response) => {
    const { range } = request.headers;
    requests.push(`${request.url?.slice(0, 10)} ${range ?? ''}`.trim());
    const bytes = blobs.get(request.url?.split('/').at(-1) ?? '');
    if (bytes === undefined) return response.writeHead(404).end();
    const start = ranges ? Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0) : 0;
    const headers =
      start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { ...headers, 'content-length': bytes.length - start });
    const most = left.shift() ?? Number.POSITIVE_INFINITY;
    const sent = bytes.subarray(start, start + most);
    if (start + most >= bytes.length) return response.end(sent);
    return response.write(sent, () => setTimeout(() => request.socket.destroy(), 50));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function remotesAt(urls: readonly string[]) {
  const problems: RemoteProblem[] = [];
  const remotes = await Promise.all(
    urls.map(async (url, index) => ({
      store: await openRemote({
        name: `r${index}`,
        url,
        folder: '/',
        idleMilliseconds: 5000,
        environment: {},
      }),
      timeoutMs: 5000,
    })),
  );
  return {
    problems,
    remotes: new Remotes({ remotes, trusted: new Set(), onProblem: (problem) => problems.push(problem) }),
  };
}

const { signal } = new AbortController();
const large = randomBytes(12 * 2 ** 20);
const largeDigest = digestOf('file', hexOf(large));
const blobs = new Map([[hexOf(large), large]]);

test('a large transfer that breaks off goes on where it was', async () => {
  await using rig = await openRig();
  const store = rig.open();
  // The first answer only tells the size.
  await using server = await serve(blobs, { cut: [large.length, 5 * 2 ** 20, 3 * 2 ** 20] });
  const { remotes, problems } = await remotesAt([server.url]);
  const done: number[] = [];
  const report = (fetched: FetchedContent): void => {
    if (fetched.kind === 'progress') done.push(fetched.done);
  };
  const lacking = await remotes.fetch(store, [{ digest: largeDigest, name: 'model' }], { signal, report });
  expect([lacking, problems]).toEqual([new Set(), []]);
  expect(readFileSync(join(store.root, blobPath(largeDigest))).equals(large)).toBe(true);
  const ranges = server.requests.map((request) => Number(/bytes=(\d+)-/.exec(request)?.[1] ?? 0));
  expect([
    ranges.length,
    ranges[2] !== undefined && ranges[2] > 0,
    ranges[3] !== undefined && ranges[3] > 5e6,
  ]).toEqual([4, true, true]);
  expect(existsSync(join(store.root, 'downloads', hexOf(large)))).toBe(false);
});

test.each([
  ['the beginning of the file', large.subarray(0, 4 * 2 ** 20), 2],
  ['something else', randomBytes(4 * 2 ** 20), 3],
  ['more than the file', randomBytes(13 * 2 ** 20), 2],
])('what an earlier process left is used if it is %s', async (_, left, requests) => {
  await using rig = await openRig();
  const store = rig.open();
  const folder = join(store.root, 'downloads', hexOf(large));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'part'), left);
  await using server = await serve(blobs);
  const { remotes, problems } = await remotesAt([server.url]);
  const lacking = await remotes.fetch(store, [{ digest: largeDigest, name: 'model' }], {
    signal,
    report: () => {},
  });
  expect([lacking, problems, server.requests.length]).toEqual([new Set(), [], requests]);
  expect(readFileSync(join(store.root, blobPath(largeDigest))).equals(large)).toBe(true);
});

test('a remote that cannot go on in the middle begins again, and one that lies is passed over', async () => {
  await using rig = await openRig();
  const store = rig.open();
  const other = randomBytes(large.length);
  await using liar = await serve(new Map([[hexOf(large), other]]));
  await using plain = await serve(blobs, { ranges: false, cut: [large.length, 5 * 2 ** 20] });
  const { remotes, problems } = await remotesAt([liar.url, plain.url]);
  const lacking = await remotes.fetch(store, [{ digest: largeDigest, name: 'model' }], {
    signal,
    report: () => {},
  });
  expect(lacking).toEqual(new Set());
  expect(problems).toEqual([
    { remote: 'r0', message: `the file ${hexOf(large)} there is damaged, and not used` },
  ]);
  expect((await stat(join(store.root, blobPath(largeDigest)))).size).toBe(large.length);
});

test('of a folder only the files that are missing are fetched, each once', async () => {
  await using rig = await openRig();
  const store = rig.open();
  const contents = ['one', 'two', 'one'].map((text) => Buffer.from(text));
  const manifest = manifestOf(
    contents.map((bytes, index) => ({
      path: `${index}.txt`,
      digest: digestOf('file', hexOf(bytes)),
      size: bytes.length,
    })),
  );
  const held = new Map(contents.map((bytes) => [hexOf(bytes), bytes]));
  await using whole = await serve(
    new Map([...held, [manifest.digest.slice(-64), Buffer.from(manifest.bytes)]]),
  );
  const { remotes } = await remotesAt([whole.url]);
  const fetch = () =>
    remotes.fetch(store, [{ digest: manifest.digest, name: 'folder' }], { signal, report: () => {} });
  expect(await fetch()).toEqual(new Set());
  expect(whole.requests).toHaveLength(3);
  expect(await fetch()).toEqual(new Set());
  expect(whole.requests).toHaveLength(3);
});

test('a folder that a remote has in part is lacking, and what came is kept', async () => {
  await using rig = await openRig();
  const store = rig.open();
  const [here, gone] = [Buffer.from('here'), Buffer.from('gone')];
  const file = (path: string, bytes: Buffer) => ({
    path,
    digest: digestOf('file', hexOf(bytes)),
    size: bytes.length,
  });
  const manifest = manifestOf([file('a', here), file('b', gone)]);
  await using server = await serve(
    new Map([
      [hexOf(here), here],
      [manifest.digest.slice(-64), Buffer.from(manifest.bytes)],
    ]),
  );
  const { remotes, problems } = await remotesAt([server.url]);
  const lacking = await remotes.fetch(store, [{ digest: manifest.digest, name: 'folder' }], {
    signal,
    report: () => {},
  });
  expect([lacking, problems]).toEqual([new Set([manifest.digest]), []]);
  expect(existsSync(join(store.root, blobPath(digestOf('file', hexOf(here)))))).toBe(true);
});
