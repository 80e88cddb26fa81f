import { lstat, mkdir, mkdtemp, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/index.ts';
import type { DagNode } from '../../src/runtime/graph/dag.ts';
import { readModules } from '../../src/runtime/plan/read-modules.ts';
import { createStore, openStore, type Store } from '../../src/runtime/store/store.ts';
import { anyCodeEdit, type CodeFiles, codeAtStart, entry } from './rig/code-edits.ts';

const steps = Number(process.env.TUNELOOM_LAW_STEPS ?? 120);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);

/** Edits in one project; what is remembered of it must be right after each. */
const stepsPerWalk = 30;

test("after every edit a stage's code has the key that a new store gives it, and code that does something else has another", async () => {
  const walk = fc.array(anyCodeEdit, { minLength: stepsPerWalk, maxLength: stepsPerWalk });
  await fc.assert(
    fc.asyncProperty(walk, (edits) => goWalk(edits)),
    {
      seed,
      numRuns: Math.ceil(steps / stepsPerWalk),
      endOnFailure: true,
    },
  );
}, 3_600_000);

const constant = (value: string): string => `export default '${value}';\n`;
const fooAt = (folder: string, bar: string): CodeFiles => ({
  [`${folder}/package.json`]: '{"name":"foo","version":"1.0.0","type":"module","dependencies":{"bar":"1"}}',
  [`${folder}/index.js`]: "export { default } from 'bar';\n",
  [`${folder}/node_modules/bar/package.json`]: `{"name":"bar","version":"${bar}","type":"module"}`,
  [`${folder}/node_modules/bar/index.js`]: constant(bar),
});
const requiring = "import a from 'w';\nexport const run = () => a + require('w').default;\n";
const conditions = (to: object) => ({
  'packages/w/package.json': JSON.stringify({ name: 'w', exports: to }),
});

test.each<[string, CodeFiles, CodeFiles]>([
  [
    'what two copies of one package depend on is exchanged',
    {
      'stages/st/index.ts':
        "import a from 'foo';\nimport b from '../../lib/a.js';\nexport const run = () => a + b;\n",
      'lib/a.js': "export { default } from 'foo';\n",
      ...fooAt('node_modules/foo', '1.0.0'),
      ...fooAt('lib/node_modules/foo', '2.0.0'),
    },
    { ...fooAt('node_modules/foo', '2.0.0'), ...fooAt('lib/node_modules/foo', '1.0.0') },
  ],
  [
    "import and require get each other's file",
    {
      'stages/st/index.ts': requiring,
      ...conditions({ import: './a.js', require: './b.js' }),
      'packages/w/a.js': constant('a'),
    },
    conditions({ import: './b.js', require: './a.js' }),
  ],
  [
    'two aliases are exchanged',
    {
      'stages/st/index.ts': "import a from '#a';\nimport b from '#b';\nexport const run = () => a + b;\n",
      'package.json': '{"imports":{"#a":"./lib/a.js","#b":"./lib/b.js"}}',
    },
    { 'package.json': '{"imports":{"#a":"./lib/b.js","#b":"./lib/a.js"}}' },
  ],
])('%s: another key', async (_, before, edit) => {
  await goWalk([before, edit, before], { least: 3 });
});

/** `least`: the number of meanings that the walk must come by. */
async function goWalk(edits: readonly CodeFiles[], { least = 0 } = {}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tuneloom-code-'));
  try {
    const meanings = new Map<string, string>();
    const store = await storeIn(folder, 'store');
    for (const [number, edit] of [codeAtStart, ...edits].entries()) {
      await apply(folder, edit);
      // Files that have just been written could change again and look the same: nothing is remembered of them.
      await sleep(25);
      const remembered = await keyOf(folder, store);
      const found = await keyOf(folder, await storeIn(folder, `fresh-${number}`));
      expect({ number, edit, key: remembered }).toEqual({ number, edit, key: found });
      if (found === undefined) continue;
      const meaning = await meaningOf(join(folder, entry));
      expect({ number, edit, meaning: meanings.get(found) ?? meaning }).toEqual({ number, edit, meaning });
      meanings.set(found, meaning);
    }
    expect(new Set(meanings.values()).size).toBeGreaterThanOrEqual(least);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function storeIn(folder: string, name: string): Promise<Store> {
  const store = openStore(join(folder, 'stores', name));
  await createStore(store);
  return store;
}

async function apply(folder: string, files: CodeFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const place = join(folder, path);
    const present = await lstat(place).catch(() => undefined);
    if (content === undefined) {
      await rm(place, { force: true });
      continue;
    }
    await mkdir(dirname(place), { recursive: true });
    if (present !== undefined && (present.isSymbolicLink() || typeof content !== 'string'))
      await unlink(place);
    if (typeof content === 'string') await writeFile(place, content);
    else await symlink(join(folder, content.link), place);
  }
}

/** The part of the key that comes from the code; undefined for code that does not compile. */
async function keyOf(folder: string, store: Store): Promise<string | undefined> {
  const file = { path: join(folder, 'p.yaml'), displayPath: 'p.yaml', text: '' };
  const definition = { code: { entry: join(folder, entry), ports: {} } };
  // What readModules looks at.
  const node = { definition, spanOf: () => ({ file, start: 0, end: 0 }) } as unknown as DagNode;
  const read = await readModules(new Map([['own', node]]), store);
  return read.ok ? canonicalJson(read.value.get('own')?.modules ?? {}) : undefined;
}

/** What the code does, with its packages, as esbuild alone understands it. */
async function meaningOf(path: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    platform: 'node',
    format: 'iife',
    globalName: 'stage',
    write: false,
    logLevel: 'silent',
    tsconfigRaw: '{}',
  });
  return String(await runInNewContext(`${outputFiles[0]?.text}\nstage.run()`));
}
