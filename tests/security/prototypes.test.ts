import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));
const tinyModel = fileURLToPath(new URL('../fixtures/model/tiny-gpt2', import.meta.url));

/** Preloaded into the command and its stage processes: reports at the end which properties every object has gained. */
const watch = `process.on('exit', () => {
  for (const one of [{}, [], () => {}, '', 0]) for (const name in one) console.error('polluted', name);
  if (({}).polluted !== undefined || (() => {}).polluted !== undefined) console.error('polluted');
});`;

function start(rig: CliRig, words: readonly string[], input = '') {
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(watch)}`;
  return execa(process.execPath, [tuneloomScript, ...words], {
    cwd: rig.folder,
    env: { PATH: process.env.PATH, HOME: rig.folder, NO_COLOR: '1', NODE_OPTIONS },
    extendEnv: false,
    reject: false,
    all: true,
    input,
  });
}

const inYaml = '__proto__: { polluted: 1 }, constructor: { prototype: { polluted: 1 } }';
const inJson = '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';

const project = {
  'package.json': '{}',
  'rows.jsonl': `{"id":"a","instruction":"x","output":"y",${inJson}}\n{"id":"__proto__","instruction":"x","output":"y"}\n`,
  'base.yaml': `name: base
params: { ${inYaml}, deep: { ${inYaml} } }
stages:
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
`,
  'p.yaml': `extends: base.yaml
name: p
params: { ${inYaml}, deep: { ${inYaml}, more: { ${inYaml} } } }
stages:
  sub: { uses: ./sub.yaml, from: { constructor: load }, with: { constructor: { prototype: { polluted: 1 } } } }
  own: { uses: ./own, from: load, with: { constructor: 1, toString: 2 } }
  history:
    uses: shell
    with: { command: 'cp "$FILE_f" "$OUT_h"', outputs: { h: history }, files: { f: history.jsonl } }
  responses:
    uses: shell
    with: { command: 'cp "$FILE_f" "$OUT_r"', outputs: { r: responses }, files: { f: responses.jsonl } }
  evaluate: { from: responses.r, with: { metrics: [exact_match], by: [constructor] } }
`,
  'sub.yaml': `inputs: { constructor: records }
params: { constructor: 1 }
outputs: { toString: format }
stages:
  format: { from: inputs.constructor, with: { template: alpaca } }
`,
  'own/stage.yaml': `name: own
inputs: { valueOf: records }
outputs: { constructor: file }
config: { properties: { toString: { type: integer }, constructor: { type: integer, default: 3 } } }
`,
  'own/index.ts': `import { writeFile } from 'node:fs/promises';
export const run = async (action) => {
  await writeFile(action.outputs.constructor.path, JSON.stringify(action.config));
  return JSON.parse('{${inJson}}');
};
`,
  'history.jsonl': `{"type":"step","step":1,"epoch":1,"loss":1,"learning_rate":1,"tokens":1,${inJson}}\n`,
  'responses.jsonl': `{"id":"__proto__","prompt":"x","expected":"y","response":"y","fields":{${inJson}}}\n`,
  'predictions.json': `{"__proto__":{"polluted":1},"constructor":"x","q":"y"}`,
  'squad.json': `{${inJson},"data":[{"paragraphs":[{"qas":[{"id":"__proto__","answers":[{"text":"x"}],${inJson}}]}]}]}`,
};

test('nothing in a pipeline, a record, a score or on the command line adds a property to every object', async () => {
  await using rig = await openCliRig(project);
  const runs = [
    'run p.yaml --keep-going',
    'run p.yaml --keep-going --json -p __proto__.polluted=1 -p constructor.prototype.polluted=1',
    'run p.yaml --keep-going --set params.deep.__proto__.polluted=1',
    'run p.yaml --set stages.load.with.__proto__.polluted=1',
    'run p.yaml --set __proto__.polluted=1',
    'plan p.yaml --json',
    'explain p.yaml own',
    'graph p.yaml',
    'show p.yaml load --json',
    'show p.yaml history',
    'show p.yaml responses --json',
    'runs --json',
    'runs latest',
    'diff p.yaml --json',
    'gc --dry-run --json',
    'score squad --data squad.json --predictions predictions.json --json',
    'verify --json',
  ];
  const found: string[] = [];
  for (const line of runs) {
    const { exitCode, all } = await start(rig, line.split(' '));
    if (line === runs[0]) expect([exitCode, all.includes('failed')]).toEqual([0, false]);
    if (exitCode === undefined || exitCode > 4 || /^polluted/m.test(all) || /^ {4}at /m.test(all))
      found.push(`${line}: ${exitCode} ${all}`);
  }
  expect(found).toEqual([]);
}, 180_000);

test('a lock, a record, a journal, a cache or a model from elsewhere adds no property to every object', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': project['rows.jsonl'],
    'p.yaml': `stages:
  load: { with: { records: rows.jsonl } }
  own: { uses: ./own, from: load }
  model: { uses: load, with: { model: model } }
`,
    'own/stage.yaml': project['own/stage.yaml'],
    'own/index.ts': project['own/index.ts'],
  });
  await cp(tinyModel, join(rig.folder, 'model'), { recursive: true });
  for (const name of ['config.json', 'tokenizer.json']) await plant(join(rig.folder, 'model', name));
  // The model is refused for its unknown field.
  const first = await start(rig, ['run', '--keep-going']);
  expect([first.exitCode, first.all.match(/^polluted.*|^ {4}at .*/m)?.[0]]).toEqual([2, undefined]);
  expect((await start(rig, ['run', 'own'])).exitCode).toBe(0);
  const entries = await readdir(join(rig.folder, 'artifacts'), { recursive: true, withFileTypes: true });
  for (const entry of entries)
    if (entry.name.endsWith('.json')) await plant(join(entry.parentPath, entry.name));
  const lock = join(rig.folder, 'p.lock.yaml');
  await writeFile(lock, `${await readFile(lock, 'utf8')}\n__proto__: { polluted: 1 }\n`);
  for (const line of ['plan', 'runs latest', 'runs --json', 'explain own', 'show load', 'run', 'verify']) {
    const { exitCode, all } = await start(rig, line.split(' '));
    expect([line, all.match(/^polluted.*|^ {4}at .*/m)?.[0], Number(exitCode) <= 4]).toEqual([
      line,
      undefined,
      true,
    ]);
  }
});

/** Puts hostile fields first into a JSON object, so that its seal no longer matches. */
async function plant(path: string): Promise<void> {
  const text = await readFile(path, 'utf8');
  const unsealed = text.replace(/,\s*"seal": "[0-9a-f]{64}"/, '');
  await writeFile(path, unsealed.replace('{', `{${inJson},`));
}
