import { createHash } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { openRemote } from '../../src/remote/index.ts';
import { type RemoteObject, remoteName } from '../../src/runtime/index.ts';
import { type Files, type LoopbackHub, openLoopbackHub } from './rig/loopback-hub.ts';
import { firstCommit, token } from './rig/remote-rig.ts';

const { signal } = new AbortController();
const api = '/api/datasets/me/results';

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** A hub with one dataset repository, which takes commits as huggingface.co does; returns the titles of its commits. */
function acceptCommits(hub: LoopbackHub, files: Record<string, Buffer>): readonly string[] {
  const titles: string[] = [];
  const answer = (path: string, reply: (body: string) => unknown): void => {
    const listener: RequestListener = async (request, response) => {
      const body = await bodyOf(request);
      if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
      response.setHeader('content-type', 'application/json').end(JSON.stringify(reply(body)));
    };
    hub.answers.set(path, listener);
  };
  answer(`${api}/paths-info/main`, (body) => {
    const { paths } = JSON.parse(body) as { paths: string[] };
    return paths.flatMap((path) => {
      const bytes = files[path];
      return bytes === undefined ? [] : { type: 'file', path, size: bytes.length, oid: '0'.repeat(40) };
    });
  });
  answer(`${api}/preupload/main`, (body) => ({
    files: (JSON.parse(body) as { files: { path: string }[] }).files.map(({ path }) => ({
      path,
      uploadMode: 'regular',
    })),
  }));
  answer(`${api}/commit/main`, (body) => {
    const lines = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    for (const { key, value } of lines) {
      if (key === 'header') titles.push(value.summary);
      if (key === 'file') files[value.path] = Buffer.from(value.content, value.encoding);
    }
    return { commitOid: '1'.repeat(40), commitUrl: `${hub.endpoint}/datasets/me/results/commit/1` };
  });
  return titles;
}

test('a dataset repository is a remote, and what is put at the same time is one commit', async () => {
  const files: Record<string, Buffer> = { 'README.md': Buffer.from('# results\n') };
  const repository = { refs: { main: firstCommit }, commits: { [firstCommit]: files as Files } };
  await using hub = await openLoopbackHub({ 'datasets/me/results': repository }, { token });
  const titles = acceptCommits(hub, files);
  const remote = await openRemote({
    ...{ name: 'hub', url: 'hf:datasets/me/results', folder: tmpdir(), idleMilliseconds: 20_000, token },
    environment: { HF_ENDPOINT: hub.endpoint },
  });
  const objects = [...Array(30).keys()].map((index) => {
    const bytes = Buffer.from(`object ${index}`);
    const digest = createHash('sha256').update(bytes).digest('hex');
    return { object: { kind: 'blob', digest } satisfies RemoteObject, bytes };
  });
  const all = objects.map(({ object }) => object);
  expect(await remote.has(all, { signal })).toEqual(new Set());
  await Promise.all(objects.map(({ object, bytes }) => remote.put(object, { bytes }, { signal })));
  await remote.put({ kind: 'record', key: 'a'.repeat(64) }, { bytes: Buffer.from('{}') }, { signal });
  expect(titles).toEqual(['Add 30 files of results', 'Add a result']);
  expect(await remote.has(all, { signal })).toEqual(new Set(all.map(remoteName)));
  const content = await remote.get(all[7] ?? expect.fail(), { offset: 3, signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of content?.bytes ?? []) chunks.push(chunk);
  expect([content?.offset, Buffer.concat(chunks).toString()]).toEqual([3, 'ect 7']);
  const absent: RemoteObject = { kind: 'blob', digest: '0'.repeat(64) };
  expect(await remote.get(absent, { signal })).toBeUndefined();
  const listed: string[] = [];
  for await (const name of remote.list('blob', { signal })) listed.push(name);
  expect(listed.sort()).toEqual(all.map(({ digest }) => digest).sort());
});

test('a repository that does not exist is a failure, not an empty remote', async () => {
  await using hub = await openLoopbackHub({}, { token });
  const remote = await openRemote({
    ...{ name: 'hub', url: 'hf:datasets/me/results', folder: tmpdir(), idleMilliseconds: 20_000 },
    environment: { HF_ENDPOINT: hub.endpoint, HF_TOKEN: token },
  });
  const object: RemoteObject = { kind: 'record', key: 'a'.repeat(64) };
  await expect(remote.has([object], { signal })).rejects.toThrow('does not exist on the hub');
  await expect(remote.get(object, { signal })).rejects.toThrow('does not exist on the hub');
});
