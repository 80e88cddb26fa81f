import { mkdir, mkdtemp, rename, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { watchSources } from '../../../src/runtime/execute/watch-sources.ts';
import type { Digest } from '../../../src/runtime/key/digest.ts';
import { digestPath } from '../../../src/runtime/plan/read-source.ts';
import { openStore } from '../../../src/runtime/store/store.ts';

let folder = '';
const at = (path: string): string => join(folder, path);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-watch-'));
  await mkdir(at('data/inner/empty'), { recursive: true });
  await writeFile(at('data/a'), 'a');
  await writeFile(at('data/inner/b'), 'b');
  await symlink('../a', at('data/inner/link'));
  await writeFile(at('alone'), 'c');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const fieldAt = (path: string) => ({
  pointer: '',
  path,
  span: { file: { path, displayPath: path, text: '' }, start: 0, end: 0 },
});

/** Watches the folder and the file; `later` lets the files' times settle first, as in any run but the fastest. */
async function watch({ mayGrow = false, later = true } = {}) {
  if (later) await sleep(40);
  const sources = new Map<string, Digest>();
  for (const path of [at('data'), at('alone')]) sources.set(path, await digestPath(path));
  const options = { sources, store: openStore(at('store')), files: [], mayGrow };
  const watched = await watchSources({ sources: [...sources.keys()].map(fieldAt) }, options);
  if (!watched.ok) throw new Error(watched.error);
  return watched.value;
}

/** Restores what a file was, with its times as far as a program can. */
async function thereAndBack(path: string, text: string): Promise<void> {
  const { atime, mtime } = await stat(path);
  await writeFile(path, 'x');
  await writeFile(path, text);
  await utimes(path, atime, mtime);
}

const changes: readonly (readonly [string, string | undefined, () => Promise<unknown>])[] = [
  ['nothing', undefined, async () => {}],
  ['a file that is read', undefined, () => stat(at('alone'))],
  ['a file with other bytes', 'alone', () => writeFile(at('alone'), 'd')],
  ['a file that is restored', 'alone', () => thereAndBack(at('alone'), 'c')],
  ['a file in a folder that is restored', 'data/inner/b', () => thereAndBack(at('data/inner/b'), 'b')],
  ['a file that is gone', 'alone', () => rm(at('alone'))],
  [
    'a link that led elsewhere for a time',
    'data/inner/link',
    async () => {
      await rm(at('data/inner/link'));
      await symlink('b', at('data/inner/link'));
      await rm(at('data/inner/link'));
      await symlink('../a', at('data/inner/link'));
    },
  ],
  [
    'a file that was elsewhere for a time',
    'alone',
    async () => {
      await rename(at('alone'), at('kept'));
      await writeFile(at('alone'), 'd');
      await rename(at('kept'), at('alone'));
    },
  ],
];

test.each(changes)('%s: what changed is %s', async (_, due, change) => {
  for (const mayGrow of [false, true]) {
    const watched = await watch({ mayGrow });
    await change();
    expect(await watched.changed()).toBe(due === undefined ? undefined : at(due));
    await writeFile(at('alone'), 'c');
    await writeFile(at('data/inner/b'), 'b');
  }
});

test('a file that is written within one step of the clock is told by its bytes', async () => {
  const watched = await watch({ later: false });
  await writeFile(at('alone'), 'd');
  expect(await watched.changed()).toBe(at('alone'));
});

test("a new file counts, and one that came and went, unless the stage is a program of the user's", async () => {
  const comings: readonly (readonly [string, readonly string[], () => Promise<unknown>])[] = [
    ['data/inner/', ['data/inner/new'], () => writeFile(at('data/inner/new'), '')],
    ['data/inner/empty/new', ['data/inner/empty/new'], () => writeFile(at('data/inner/empty/new'), '')],
    [
      'data/',
      [],
      async () => {
        await writeFile(at('data/new'), '');
        await rm(at('data/new'));
      },
    ],
  ];
  for (const [changed, appeared, come] of comings) {
    const strict = await watch();
    const lenient = await watch({ mayGrow: true });
    await come();
    expect([await strict.changed(), await lenient.changed(), await lenient.appeared()]).toEqual([
      at(changed),
      undefined,
      appeared.map(at),
    ]);
    for (const path of appeared) await rm(at(path));
  }
});

test('caches of tools come and go unnoticed in folders of a program of the user', async () => {
  const watched = await watch({ mayGrow: true });
  await mkdir(at('data/__pycache__'));
  await writeFile(at('data/__pycache__/a.pyc'), '');
  expect([await watched.changed(), await watched.appeared()]).toEqual([undefined, []]);
});

test('a source that is another than the key says is refused at the start', async () => {
  const sources = new Map([[at('alone'), await digestPath(at('data/a'))]]);
  const options = { sources, store: openStore(at('store')), files: [], mayGrow: false };
  expect(await watchSources({ sources: [fieldAt(at('alone'))] }, options)).toEqual({
    ok: false,
    error: at('alone'),
  });
});
