import { cp, link, mkdir, readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';

const tinyModel = fileURLToPath(new URL('../fixtures/model/tiny-gpt2', import.meta.url));

/** A project with a copy of a small model, changed. */
async function openWithModel(change: (folder: string) => Promise<void>): Promise<CliRig> {
  const rig = await openCliRig({
    'package.json': '{}',
    'secret.txt': 'hunter2-in-a-file',
    'p.yaml': 'stages:\n  load: { with: { model: model } }\n',
  });
  await cp(tinyModel, join(rig.folder, 'model'), { recursive: true });
  await change(join(rig.folder, 'model'));
  return rig;
}

const withConfig = (change: object) => async (folder: string) => {
  const path = join(folder, 'config.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }));
};

const withHeader = (header: object | bigint) => async (folder: string) => {
  const json = typeof header === 'bigint' ? '{}' : JSON.stringify(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(typeof header === 'bigint' ? header : BigInt(json.length));
  await writeFile(
    join(folder, 'model.safetensors'),
    Buffer.concat([length, Buffer.from(json), Buffer.alloc(8)]),
  );
};

const tensor = (shape: readonly number[], offsets: readonly number[]) => ({
  'transformer.wte.weight': { dtype: 'F32', shape, data_offsets: offsets },
});

const withIndex = (shard: string) => (folder: string) =>
  writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: { wte: shard } }));

test.each([
  ['a vocabulary beyond memory', withConfig({ vocab_size: 2 ** 52 })],
  ['a width beyond memory', withConfig({ n_embd: 2 ** 50, n_head: 1 })],
  ['a header longer than its file', withHeader(2n ** 63n)],
  ['a tensor larger than its file', withHeader(tensor([2 ** 26, 2 ** 26], [0, 2 ** 52 * 4]))],
  ['a tensor whose size overflows', withHeader(tensor([2 ** 52, 2 ** 52], [0, 8]))],
  ['offsets that run backwards', withHeader(tensor([2], [8, 0]))],
  ['a tensor without elements', withHeader(tensor([-1, -2], [0, 8]))],
  ['a shard above it', withIndex('../secret.txt')],
  ['a shard at a path of its own', withIndex('/etc/passwd')],
])('a model folder with %s fails its stage at once, and shows nothing of other files', async (_, change) => {
  await using rig = await openWithModel(change);
  const { exitCode, stdout, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr]).toEqual([1, '']);
  expect(stdout).toMatch(/^failed load: /m);
  expect(stdout).not.toMatch(/hunter2|root:|mistake/);
});

test('a milliard layers are refused before anything runs', async () => {
  await using rig = await openWithModel(withConfig({ n_layer: 1e9 }));
  const { exitCode, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr.split('\n')[0]]).toEqual([
    2,
    'p.yaml:2:26 error[unsupported-model] model/config.json has 1000000000 as `n_layer`: a whole number between 1 and 10000 is needed',
  ]);
});

test('of a model folder only the files of a model are taken, whatever else there is or is linked', async () => {
  await using rig = await openWithModel(async (folder) => {
    await writeFile(join(folder, 'notes.txt'), 'notes');
    await symlink('notes.txt', join(folder, 'linked.txt'));
    await mkdir(join(folder, 'more'));
    await link(join(dirname(folder), 'secret.txt'), join(folder, 'more/config.json'));
  });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  const { stdout } = await rig.tuneloom('verify');
  expect(stdout).toContain('all sound');
  expect((await readdir(join(rig.folder, 'artifacts/outputs/p/load/model'))).sort()).toEqual([
    'config.json',
    'generation_config.json',
    'model.safetensors',
    'tokenizer.json',
  ]);
});

test('a link that leads out of a source folder is refused, by name and at any depth, before anything runs', async () => {
  await using rig = await openWithModel(async (folder) => {
    await mkdir(join(folder, 'more'));
    await symlink('../../secret.txt', join(folder, 'more/notes.txt'));
  });
  const { exitCode, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr]).toEqual([
    2,
    expect.stringMatching(/more\/notes\.txt is a link that leads out of its folder, to .*secret\.txt/),
  ]);
});

test('a folder that a link leads back into is refused, not followed forever', async () => {
  await using rig = await openWithModel((folder) => symlink('.', join(folder, 'again')));
  const { exitCode, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr.includes('is a link to a folder that contains it')]).toEqual([2, true]);
});

test('a line of 100 MB, and a file with no lines, are refused within bounded memory', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': '{"id":"',
    'p.yaml': 'stages:\n  load: { with: { records: rows.jsonl } }\n',
  });
  await truncate(join(rig.folder, 'rows.jsonl'), 100 * 2 ** 20);
  const { exitCode, stdout } = await rig.tuneloom('run');
  expect([exitCode, stdout.includes('the line is longer than 64 MiB')]).toEqual([1, true]);
});

test.each([
  [
    'aliases of aliases',
    `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'.replaceAll(/./g, (name) => `${name}: &${name} [${`*${String.fromCharCode(name.charCodeAt(0) - 1)}, `.repeat(9)}]\n`)}`,
  ],
  ['lists within lists', `stages: ${'['.repeat(50_000)}${']'.repeat(50_000)}\n`],
  ['maps within maps', `stages: ${'{a: '.repeat(50_000)}${'}'.repeat(50_000)}\n`],
  ['a value of 9 MB', `name: "${'x'.repeat(9 * 2 ** 20)}"\n`],
  ['a tag that would make an object', 'stages: !!js/function "function () {}"\n'],
  ['bytes that are no text', '\0\u0001\u0002'],
])('a pipeline of %s is refused before anything runs', async (_, yaml) => {
  await using rig = await openCliRig({ 'package.json': '{}', 'p.yaml': yaml });
  const { exitCode, stderr } = await rig.tuneloom('run', 'p.yaml');
  expect([exitCode, stderr.endsWith('Nothing ran.')]).toEqual([2, true]);
});

test('rows nested without limit are refused, and rows with any names are kept as data', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': `{"id":"a","deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}\n`,
    'p.yaml': 'stages:\n  load: { with: { records: rows.jsonl } }\n',
  });
  const { exitCode, stdout, stderr } = await rig.tuneloom('run');
  expect([exitCode, stderr, stdout.includes('nested more than 64 levels deep')]).toEqual([1, '', true]);
});

test('an argument reaches a program unchanged: nothing is expanded in it, and nothing twice in a line', async () => {
  const hostile = '$(touch pwned) `touch pwned` ; touch pwned # $HOME *';
  await using rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': `${JSON.stringify({ id: hostile, instruction: hostile })}\n`,
    'p.yaml': `params: { text: ${JSON.stringify(hostile)} }
stages:
  load: { with: { records: rows.jsonl } }
  list:
    uses: shell
    with: { command: [sh, -c, 'printf %s "$1" > "$2"', sh, "\${params.text}", $OUT_x], outputs: { x: file } }
  line:
    uses: shell
    from: load
    with:
      command: 'read -r row < "$IN_rows"; printf %s "$TEXT" > "$OUT_x"'
      inputs: { rows: records }
      outputs: { x: file }
      environment: { TEXT: "\${params.text}" }
`,
  });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  for (const stage of ['list', 'line']) expect((await rig.tuneloom('show', stage)).stdout).toBe(hostile);
});

test.each([
  ['uses', (next: number) => `stages: { x: { uses: ./b${next}.yaml }, y: { uses: ./b${next}.yaml } }\n`],
  ['extends', (next: number) => `extends: [b${next}.yaml, b${next}.yaml]\nstages: {}\n`],
])(
  'files that name the next by `%s` twice, forty deep, end in an error that names a file',
  async (_, text) => {
    const files = Array.from({ length: 40 }, (_, index) => [`b${index}.yaml`, text(index + 1)] as const);
    await using rig = await openCliRig({
      'package.json': '{}',
      ...Object.fromEntries(files),
      'b40.yaml':
        'stages: { s: { uses: shell, with: { command: "echo > $OUT_o", outputs: { o: file } } } }\n',
    });
    const { exitCode, stderr } = await rig.tuneloom('plan', 'b0.yaml');
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^b\d\d\.yaml:\d+:\d+ error\[too-many-files\] the pipeline takes in more than 1000 files by `uses` and `extends`; the first too many is `b\d\d\.yaml`/,
      ),
    ]);
  },
);
