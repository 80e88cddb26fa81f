import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ResponseCache } from '../../../src/stages/generate/response-cache.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cache-'));
});
afterEach(() => rm(folder, { recursive: true }));

const decode = (value: unknown) => (typeof value === 'string' ? value : undefined);
const open = (fingerprint = 'onnx, two threads') => ResponseCache.open({ folder, fingerprint }, decode);
const answer = (id: string) => `line one\n"${id}" é`;

test('the cache returns what was added before, for the same key and fingerprint only', async () => {
  const first = await open();
  first.add(['prompt', 'a'], answer('a'));
  const again = await open();
  expect([['prompt', 'a'], ['prompt', 'b'], ['prompt']].map((key) => again.find(key))).toEqual([
    answer('a'),
    undefined,
    undefined,
  ]);
  expect((await open('cpu')).find(['prompt', 'a'])).toBeUndefined();
});

test('two caches open at the same time both add, and the next finds the entries of both', async () => {
  const [one, other] = [await open(), await open()];
  for (let index = 0; index < 50; index += 1) (index % 2 ? one : other).add([index], answer(`${index}`));
  const next = await open();
  for (let index = 0; index < 50; index += 1) expect(next.find([index])).toBe(answer(`${index}`));
});

test('what decode refuses is not a result', async () => {
  const cache = await ResponseCache.open({ folder, fingerprint: 'x' }, (value) => value as number);
  cache.add(['a'], 3);
  expect((await open('x')).find(['a'])).toBeUndefined();
});

test('wherever a line is truncated or damaged, the other lines are used, and so are lines added after it', async () => {
  const whole = await open();
  whole.add(['a'], answer('a'));
  const [name = ''] = await readdir(folder);
  const path = join(folder, name);
  // newline, checksum, space, [question, answer]
  const line = 1 + 32 + 1 + Buffer.byteLength(JSON.stringify(['0'.repeat(32), answer('b')]));
  for (const kept of [0, 1, 5, 32, 33, 60, line - 1]) {
    await truncate(path, line);
    whole.add(['b'], answer('b'));
    await truncate(path, line + kept);
    whole.add(['c'], answer('c'));
    const cache = await open();
    expect(['a', 'b', 'c'].map((id) => cache.find([id]))).toEqual([answer('a'), undefined, answer('c')]);
  }
});
