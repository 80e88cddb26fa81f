import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sourceResolvers } from '../../src/remote/source-resolvers.ts';
import type { Diagnostic } from '../../src/runtime/diagnostic/diagnostic.ts';
import { renderDiagnostics } from '../../src/runtime/diagnostic/render-diagnostics.ts';
import { isUserError } from '../../src/runtime/execute/run-action.ts';
import { loadPipeline } from '../../src/runtime/graph/load-pipeline.ts';
import { parseDigest } from '../../src/runtime/key/digest.ts';
import { parseCacheKey } from '../../src/runtime/key/key-material.ts';
import { parseLock } from '../../src/runtime/plan/lock.ts';
import { readRecord } from '../../src/runtime/store/action-records.ts';
import { findManifest } from '../../src/runtime/store/folder-manifest.ts';
import { readRun } from '../../src/runtime/store/run-records.ts';
import { openStore } from '../../src/runtime/store/store.ts';
import { blobPath } from '../../src/runtime/store/store-layout.ts';
import { run as load } from '../../src/stages/load/run-load.ts';
import { stageRegistry } from '../../src/stages/registry.ts';
import { openCliRig } from '../cli/rig.ts';
import { mutated, randomFrom } from './rig/mutations.ts';

/** How many files are mutated. */
const count = Number(process.env.TUNELOOM_FUZZ ?? 1_500);
const seed = Number(process.env.TUNELOOM_LAW_SEED ?? 20_260_101);
const mostMilliseconds = 2_000;

const root = join(import.meta.dirname, '../..');
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tuneloom-fuzz-'));
  await cp(join(root, 'pipelines'), join(folder, 'pipelines'), { recursive: true });
  for (const [path, text] of Object.entries(ownFiles)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ownFiles = {
  'own/stage.yaml':
    'name: shorten\ndescription: Keeps short ones.\ninputs: { records: { type: records, parts: each } }\noutputs: { records: records }\nconfig:\n  properties:\n    longest: { type: integer, minimum: 1, default: 80 }\n    mode: { enum: [a, b], default: a }\n',
  'own/index.ts': 'export const run = async () => ({});\n',
  'rows.jsonl': '{"instruction":"x","output":"y"}\n',
  'uses-own.yaml': `params: { longest: 3 }\nstages:\n  load: { with: { records: rows.jsonl } }\n  own: { uses: ./own, from: load, with: { longest: "\${params.longest}" } }\n`,
  'all.yaml':
    'extends: uses-own.yaml\nname: all\nsweep:\n  grid: { longest: [1, 2] }\nstages:\n  inner: { uses: ./inner.yaml, from: { rows: load }, with: { share: 0.5 } }\n  count: { uses: shell, from: { a: inner.cut.train }, with: { command: "wc -l < $IN_a > $OUT_b", inputs: { a: records }, outputs: { b: file } }, retries: 1, timeout: 5m }\n',
  'inner.yaml': `params: { share: 0.1 }\ninputs: { rows: records }\noutputs: { cut: cut }\nstages:\n  cut: { uses: split, from: inputs.rows, with: { by: hash, parts: [train: "\${params.share}", test: rest] } }\n`,
};

/** Measures one case in processor time, which does not depend on how busy the machine is. */
async function timed(tried: { worst: number }, work: () => unknown): Promise<void> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  tried.worst = Math.max(tried.worst, (user + system) / 1000);
}

const diagnosticsOf = (file: string) =>
  loadPipeline({
    file,
    registry: stageRegistry,
    resolvers: sourceResolvers({}),
    workingDirectory: folder,
    params: [],
    sets: [],
  });

/** Mistakes in a file that is no text at all have no line; they name the file. */
function checkMistakes(mistakes: readonly Diagnostic[], file: string): void {
  expect(mistakes.length).toBeGreaterThan(0);
  expect(renderDiagnostics(mistakes)).toMatch(/Nothing ran\.\n$/);
  for (const { code, message, span } of mistakes) {
    expect(code).toMatch(/^[a-z0-9-]+$/);
    expect(message).toMatch(/\S/);
    if (span === undefined) expect(message).toContain(file.split('/').at(-1));
    else
      expect([
        code,
        0 <= span.start && span.start <= span.end && span.start <= span.file.text.length,
      ]).toEqual([code, true]);
  }
}

/** Tries N mutations of files in turn, and reports how long the slowest took. */
async function tryAll(
  cases: number,
  files: readonly string[],
  attempt: (content: string | Uint8Array, file: string) => unknown,
): Promise<void> {
  const tried = { worst: 0 };
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  for (let index = 0; index < cases; index += 1) {
    const at = index % files.length;
    const content = mutated(texts[at] ?? '', randomFrom(seed + index));
    try {
      await timed(tried, () => attempt(content, files[at] ?? ''));
    } catch (error) {
      throw new Error(`case ${index} of seed ${seed}, ${files[at]}:\n${String(content).slice(0, 3_000)}`, {
        cause: error,
      });
    }
  }
  console.log(`${cases} mutations, the slowest took ${tried.worst.toFixed(0)} ms`);
  expect(tried.worst).toBeLessThan(mostMilliseconds);
}

test('any pipeline file is read or refused with a place in it', async () => {
  const below = await readdir(join(folder, 'pipelines'), { recursive: true });
  const shipped = below.filter((name) => name.endsWith('.yaml')).map((name) => join('pipelines', name));
  await tryAll(
    Math.ceil(count * 0.6),
    [...shipped, 'all.yaml', 'inner.yaml', 'uses-own.yaml'],
    async (content, file) => {
      const place = join(dirname(file), 'mutated.yaml');
      await writeFile(join(folder, place), content);
      const loaded = await diagnosticsOf(place);
      if (!loaded.ok) checkMistakes(loaded.error, place);
    },
  );
}, 3_600_000);

test('any stage.yaml, and any file that a pipeline uses or extends, is read or refused with a place in it', async () => {
  const files = ['own/stage.yaml', 'inner.yaml', 'uses-own.yaml'];
  await tryAll(Math.ceil(count * 0.1), files, async (content, file) => {
    const whole = await readFile(join(folder, file));
    await writeFile(join(folder, file), content);
    const loaded = await diagnosticsOf('all.yaml');
    await writeFile(join(folder, file), whole);
    if (!loaded.ok) checkMistakes(loaded.error, file);
  });
}, 3_600_000);

test('any data file is read or refused with a message', async () => {
  const rows = [
    { instruction: 'Say "hi"', input: '', output: 'a, b' },
    { instruction: 'é', output: 'c', more: { deep: [1, null] } },
  ];
  const texts = {
    'data.json': JSON.stringify(rows, null, 1),
    'data.jsonl': rows.map((row) => JSON.stringify(row)).join('\n'),
    'data.csv': 'instruction,output\n"Say ""hi""","a, b"\né,c\n',
    'data.tsv': 'instruction\toutput\nx\ty\n',
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, name), text);
  await tryAll(Math.ceil(count * 0.15), Object.keys(texts), async (content) => {
    const [records, out] = [join(folder, 'mutated'), join(folder, 'out')];
    await Promise.all([writeFile(records, content), rm(out, { force: true })]);
    const action = {
      stage: 'load',
      uses: 'load',
      version: 1,
      config: { type: 'auto', records },
      inputs: {},
      outputs: { records: { path: out } },
      statePath: folder,
      resources: {},
    };
    await load(action, { signal: new AbortController().signal, report: () => {} }).catch((error: unknown) => {
      if (!isUserError(error)) throw error;
      expect(error.message).toMatch(/\S/);
    });
  });
}, 3_600_000);

const hex = 'ab'.repeat(32);

test('any lock is read or refused with its line', async () => {
  const lock = `# Written by tuneloom.\nformat: 1\nsources:\n  "rows.jsonl": "sha256:${hex}"\n  "hf:a/b": {"revision":"${'c'.repeat(40)}","digest":"sha256-folder:${hex}"}\nstages:\n  "load": {"key":"${hex}","outputs":{"records":"sha256:${hex}","cut":{"parts":{"train":"sha256:${hex}"}}}}\n`;
  await writeFile(join(folder, 'p.lock.yaml'), lock);
  await tryAll(Math.ceil(count * 0.05), ['p.lock.yaml'], (content) => {
    const text = Buffer.from(content).toString();
    const parsed = parseLock({ path: join(folder, 'p.lock.yaml'), displayPath: 'p.lock.yaml', text });
    if (!parsed.ok) checkMistakes([parsed.error], 'p.lock.yaml');
  });
}, 3_600_000);

test('any record, run, manifest and cache is read or skipped', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': ownFiles['rows.jsonl'],
    'p.yaml':
      'stages:\n  load: { with: { records: rows.jsonl } }\n  copy: { uses: shell, from: { a: load }, with: { command: "mkdir $OUT_d; cp $IN_a $OUT_d/x", inputs: { a: records }, outputs: { d: file } } }\n',
  });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  await cp(join(rig.folder, 'artifacts'), join(folder, 'store'), { recursive: true, verbatimSymlinks: true });
  const kept = await readdir(join(folder, 'store'), { recursive: true });
  const files = kept.filter((path) => path.endsWith('.json')).map((path) => join('store', path));
  const manifest = parseDigest(`sha256-folder:${hex}`);
  if (manifest === undefined) throw new Error('no digest');
  const blob = join('store', blobPath(manifest));
  await mkdir(dirname(join(folder, blob)), { recursive: true });
  await writeFile(
    join(folder, blob),
    JSON.stringify({ files: [{ digest: `sha256:${hex}`, path: 'a/b', size: 3 }] }),
  );
  await tryAll(Math.ceil(count * 0.1), [...files, blob], async (content, file) => {
    const whole = await readFile(join(folder, file));
    await writeFile(join(folder, file), content);
    const store = openStore(join(folder, 'store'));
    const name = file.split('/').at(-1)?.replace('.json', '') ?? '';
    const key = parseCacheKey(name);
    if (key !== undefined) readRecord(store, key);
    readRun(store, name);
    findManifest(store, manifest);
    await writeFile(join(folder, file), whole);
  });
}, 3_600_000);

test('the command itself ends with 0, 2 or 4 and never with a stack trace, even for input made to exhaust memory', async () => {
  const random = randomFrom(seed);
  const texts = [ownFiles['all.yaml'], ownFiles['uses-own.yaml']];
  const bombs = [
    `a: &a [x, x]\n${Array.from({ length: 60 }, (_, level) => `a${level}: &a${level} [*a${level ? level - 1 : ''}, *a${level ? level - 1 : ''}]`).join('\n')}\n`,
    `stages: ${'['.repeat(1_000_000)}`,
    `stages: ${'{a: '.repeat(300_000)}`,
    `${' '.repeat(4_000_000)}a: 1\n`,
    `x: ${'y'.repeat(100_000_000)}\n`,
    `stages:\n${Array.from({ length: 20_000 }, (_, index) => `  s${index}: { uses: nothing${index}, from: s${index + 1} }\n`).join('')}`,
  ];
  const sample = Array.from({ length: Math.ceil(count / 200) }, (_, index) =>
    mutated(texts[index % 2] ?? '', random),
  );
  for (const content of [...bombs, ...sample]) {
    await using rig = await openCliRig(ownFiles);
    await writeFile(join(rig.folder, 'mutated.yaml'), content);
    const { exitCode, stdout, stderr } = await rig.tuneloom('plan', 'mutated.yaml');
    const said = {
      exit: [0, 2, 4].includes(exitCode ?? -1),
      trace: /^ {4}at |internal error/m.test(stdout + stderr),
    };
    expect([String(content).slice(0, 200), exitCode, said]).toEqual([
      String(content).slice(0, 200),
      exitCode,
      { exit: true, trace: false },
    ]);
  }
}, 600_000);
