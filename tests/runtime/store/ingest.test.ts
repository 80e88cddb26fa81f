import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestPath } from '../../../src/runtime/plan/read-source.ts';
import { contentState } from '../../../src/runtime/store/content-state.ts';
import { openContent } from '../../../src/runtime/store/folder-manifest.ts';
import { ingest } from '../../../src/runtime/store/ingest.ts';
import { blobPath } from '../../../src/runtime/store/store-layout.ts';
import { openRig } from '../rig/run-rig.ts';

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

test('a file is moved into the store under the SHA-256 of its bytes', async () => {
  await using rig = await openRig();
  const store = rig.open();
  const large = 'tuneloom'.repeat(500_000);
  const path = await rig.write('large.txt', large);
  const { ino } = statSync(path);
  const digest = await ingest(store, path);
  expect(digest).toBe(sha256(large));
  expect([existsSync(path), statSync(join(store.root, blobPath(digest))).ino]).toEqual([false, ino]);
  expect(await contentState(store, digest)).toBe('present');
});

for (const [what, make] of [
  ['a link to a file', symlinkSync],
  ['a second name of a file', linkSync],
] as const) {
  test(`${what} is copied, and later writes to the file do not reach the store`, async () => {
    await using rig = await openRig();
    const store = rig.open();
    const large = 'tuneloom'.repeat(500_000);
    const file = await rig.write('file.txt', large);
    make(file, join(rig.folder, 'other.txt'));
    const digest = await ingest(store, join(rig.folder, 'other.txt'));
    writeFileSync(file, 'changed');
    expect(readFileSync(join(store.root, blobPath(digest)), 'utf8') === large).toBe(true);
  });
}

test('a folder keeps its files and their paths, not its empty folders; it has the digest of its source', async () => {
  await using rig = await openRig();
  const store = rig.open();
  mkdirSync(join(rig.folder, 'box/inner/deep'), { recursive: true });
  mkdirSync(join(rig.folder, 'box/empty'));
  await rig.write('box/a.txt', 'a');
  await rig.write('box/inner/deep/b.txt', 'b');
  const source = await digestPath(join(rig.folder, 'box'));
  const digest = await ingest(store, join(rig.folder, 'box'));
  expect(digest).toBe(source);
  await using content = await openContent(store, digest);
  expect(readFileSync(join(content.path, 'a.txt'), 'utf8')).toBe('a');
  expect(readFileSync(join(content.path, 'inner/deep/b.txt'), 'utf8')).toBe('b');
  expect(existsSync(join(content.path, 'empty'))).toBe(false);
});

test('a folder that links to itself is refused', async () => {
  await using rig = await openRig();
  mkdirSync(join(rig.folder, 'box'));
  symlinkSync('..', join(rig.folder, 'box/up'));
  await expect(ingest(rig.open(), join(rig.folder, 'box'))).rejects.toThrow(
    'is a link to a folder that contains it',
  );
});

test('a folder and a file of the same bytes as its manifest have different digests', async () => {
  await using rig = await openRig();
  const store = rig.open();
  mkdirSync(join(rig.folder, 'box'));
  await rig.write('box/a.txt', 'a');
  const folder = await ingest(store, join(rig.folder, 'box'));
  const manifest = readFileSync(join(store.root, blobPath(folder)), 'utf8');
  const file = await ingest(store, await rig.write('manifest.json', manifest));
  expect([file === folder, blobPath(file) === blobPath(folder)]).toEqual([false, true]);
});
