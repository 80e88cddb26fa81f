import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Fault, Repository } from './rig/loopback-hub.ts';
import {
  everything,
  firstCommit,
  modelFiles,
  openRemoteRig,
  type RemoteRig,
  rowsOf,
  token,
} from './rig/remote-rig.ts';

const modelStage = '  base: { uses: load, with: { model: hf:owner/tiny } }\n';
const recordsStage = (address: string): string => `  rows: { uses: load, with: { records: "${address}" } }\n`;

const model = async (more: Partial<Repository> = {}): Promise<Repository> => ({
  refs: { main: firstCommit },
  commits: { [firstCommit]: await modelFiles() },
  ...more,
});
const dataset = (files: Record<string, Buffer>): Repository => ({
  refs: { main: firstCommit },
  commits: { [firstCommit]: files },
});

test.each<[string, Fault[]]>([
  ['asks to be asked later (429)', [{ path: 'owner/tiny', times: 2, status: 429, retryAfter: 0 }]],
  [
    'is overloaded (500, 503)',
    [
      { path: 'config.json', times: 1, status: 500 },
      { path: 'model.safetensors', times: 2, status: 503 },
    ],
  ],
  ['breaks off again and again', [{ path: 'model.safetensors', times: 7, breakAfter: 120_000 }]],
])('a run succeeds where the hub %s', async (_, faults) => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  rig.hub.faults.push(...faults);
  expect(await rig.tuneloom('run')).toMatchObject({ exitCode: 0 });
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  expect(faults.map(({ times }) => times)).toEqual(faults.map(() => 0));
});

const failing = async (rig: RemoteRig, environment: Record<string, string> = {}): Promise<string> => {
  const { exitCode, all } = await rig.withEnvironment(environment, 'run');
  expect(exitCode).toBe(2);
  // Nothing ran and nothing is locked.
  expect((await readdir(rig.folder)).filter((name) => name.endsWith('.lock.yaml'))).toEqual([]);
  const [, ...lines] = all.slice(all.indexOf('error[')).split('\n');
  return [
    all.slice(all.indexOf('error['), all.indexOf('\n', all.indexOf('error['))),
    lines.find((line) => line.includes('help:'))?.trim(),
  ].join('\n');
};

test('a model that is not supported is refused before its weights are downloaded', async () => {
  const files = await modelFiles();
  const config = Buffer.from(JSON.stringify({ model_type: 'mamba' }));
  const repositories = {
    'owner/tiny': await model({ commits: { [firstCommit]: { ...files, 'config.json': config } } }),
  };
  await using rig = await openRemoteRig(repositories, modelStage);
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[unsupported-model] hf:owner/tiny/config.json has the model_type "mamba"
    help: tuneloom supports these types of models: gpt2, llama, mistral, mixtral, qwen2, qwen3, qwen3_moe, phi3, olmo2, gpt_neox, phi, gemma2, gemma3_text"
  `);
  expect((await rig.tuneloom('update')).exitCode).toBe(2);
  expect(rig.hub.requests.filter(({ path }) => path.includes('safetensors'))).toEqual([]);
});

test.each([
  ['no tokenizer', undefined, 'hf:owner/tiny has neither a tokenizer.json nor an encoding.json'],
  ['another kind of tokenizer', { model: { type: 'WordPiece', vocab: {} } }, 'hf:owner/tiny/tokenizer.json'],
])('a model with %s is refused before its weights are downloaded', async (_, tokenizer, message) => {
  const { 'tokenizer.json': __, ...others } = await modelFiles();
  const files =
    tokenizer === undefined
      ? others
      : { ...others, 'tokenizer.json': Buffer.from(JSON.stringify(tokenizer)) };
  const repositories = { 'owner/tiny': await model({ commits: { [firstCommit]: files } }) };
  await using rig = await openRemoteRig(repositories, modelStage);
  expect(await failing(rig)).toContain(message);
  expect(rig.hub.requests.filter(({ path }) => path.includes('safetensors'))).toEqual([]);
});

test('an error about a private, gated or absent repository says what to do', async () => {
  const repositories = { 'owner/tiny': await model({ access: 'gated' }) };
  await using rig = await openRemoteRig(repositories, modelStage);
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[no-permission] \`hf:owner/tiny\` is gated: its owner asks for consent
    help: give your consent on <hub>/owner/tiny, make a token at <hub>/settings/tokens and set HF_TOKEN to it"
  `);
  expect(await failing(rig, { HF_TOKEN: 'hf_anotherTOKEN0000' })).toMatchInlineSnapshot(`
    "error[no-permission] the token in HF_TOKEN has no access to \`hf:owner/tiny\`, or it does not exist
    help: is the name right? A gated repository asks for consent on <hub>/owner/tiny, with the token's account"
  `);
  Object.assign(repositories['owner/tiny'], { access: 'private' });
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[no-permission] \`hf:owner/tiny\` is private or gated, or does not exist
    help: is the name right? If so, set HF_TOKEN to a token of an account that may read <hub>/owner/tiny"
  `);
  Object.assign(repositories['owner/tiny'], { access: 'open' });
  await rig.write('p.yaml', 'stages:\n  base: { uses: load, with: { model: hf:owner/tiny@v9 } }\n');
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[no-such-revision] \`hf:owner/tiny@v9\`: owner/tiny has no revision "v9"
    help: a revision is a branch, a tag or a commit"
  `);
  await rig.write('p.yaml', 'stages:\n  base: { uses: load, with: { model: hf:owner/nothing } }\n');
  expect(await failing(rig, { HF_TOKEN: token })).toMatchInlineSnapshot(`
    "error[no-such-repository] \`hf:owner/nothing\` does not exist on the hub
    help: is the name right? a dataset is hf:datasets/owner/nothing"
  `);
  await rig.write('p.yaml', 'stages:\n  base: { uses: load, with: { model: "hf:owner/tiny:none.gguf" } }\n');
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[no-such-file] \`hf:owner/tiny:none.gguf\`: owner/tiny has no file or folder "none.gguf"
    help: the path is the one from the repository's root, case included"
  `);
});

test('no network, HF_HUB_OFFLINE and unusable settings are reported', async () => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  expect(await failing(rig, { HF_ENDPOINT: 'http://127.0.0.1:50999' })).toMatchInlineSnapshot(`
    "error[no-connection] \`hf:owner/tiny\` cannot be downloaded: no connection to 127.0.0.1:50999 (connect ECONNREFUSED 127.0.0.1:50999)
    help: check the network, or give the path of a folder that was downloaded elsewhere"
  `);
  expect(await failing(rig, { HF_HUB_OFFLINE: '1' })).toMatchInlineSnapshot(`
    "error[offline] \`hf:owner/tiny\` is not on this machine, and HF_HUB_OFFLINE forbids asking the hub
    help: unset HF_HUB_OFFLINE, or give the path of a folder that was downloaded elsewhere"
  `);
  expect(await failing(rig, { HF_ENDPOINT: 'http://hub.example' })).toMatchInlineSnapshot(`
    "error[bad-hub-endpoint] the environment variable HF_ENDPOINT is not an https address without a password
    help: write it like https://huggingface.co, or unset it"
  `);
  const bad = await failing(rig, { HF_TOKEN: 'hf_two words' });
  expect([bad.includes('two words'), bad.includes('error[bad-hub-token]')]).toEqual([false, true]);
  expect(rig.hub.requests).toEqual([]);
});

test('bytes that are not the announced ones are refused, and nothing of them is used later', async () => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  rig.hub.faults.push({ path: 'model.safetensors', times: 2, corrupt: true });
  expect(await failing(rig)).toContain('error[damaged-download]');
  rig.hub.faults.length = 0;
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
});

test('names that lead out of the folder, endless responses and redirects to other places are refused', async () => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  const tree = `/api/models/owner/tiny/tree/${firstCommit}`;
  const answer = (value: unknown) => (_: unknown, response: { end: (text: string) => void }) =>
    response.end(JSON.stringify(value));
  const file = { type: 'file', size: 2, oid: '0'.repeat(40) };
  for (const path of ['../../evil.json', '/etc/evil.json', 'a\\..\\evil.json', 'C:evil.json']) {
    rig.hub.answers.set(tree, answer([{ ...file, path }]));
    expect(await failing(rig)).toContain('names a file that leads out of its folder');
  }
  rig.hub.answers.set(
    tree,
    answer([
      { ...file, path: 'config.json', size: 10 ** 12 },
      { ...file, path: 'model.safetensors' },
    ]),
  );
  expect(await failing(rig)).toContain('error[source-too-large]');
  rig.hub.answers.set(
    tree,
    (_, response) => void response.writeHead(302, { location: 'http://hub.example/x' }).end(),
  );
  expect(await failing(rig, { HF_TOKEN: token })).toContain('error[unsafe-redirect]');
  rig.hub.answers.set(tree, (_, response) => void response.writeHead(302, { location: tree }).end());
  expect(await failing(rig)).toContain('error[too-many-redirects]');
  for (const strange of ['null', '"abc"', '[null,5]', '<html>Log in first</html>', '']) {
    rig.hub.answers.set(tree, (_, response) => void response.end(strange));
    expect(await failing(rig)).toContain('error[strange-hub-answer]');
  }
  let pages = 0;
  rig.hub.answers.set(tree, ({ url }, response) => {
    pages += 1;
    response
      .setHeader('link', `<${rig.hub.endpoint}${url?.split('?')[0]}?cursor=${pages}>; rel="next"`)
      .end('[]');
  });
  expect([await failing(rig), pages]).toEqual([
    expect.stringContaining('answer has more than 1000 pages'),
    1000,
  ]);
  rig.hub.answers.delete(tree);
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  expect((await everything(rig.folder)).filter(([path]) => path.includes('evil'))).toEqual([]);
});

test('an answer without end, a host that breaks off after every byte, and one that asks to wait for long end the run', async () => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  const info = '/api/models/owner/tiny/revision/main';
  rig.hub.answers.set(info, (_, response) => {
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  });
  expect(await failing(rig, { TUNELOOM_ANSWER_MILLISECONDS: '200' })).toContain('takes longer than 0.2 s');
  rig.hub.answers.set(info, (_, response) => void response.writeHead(429, { 'retry-after': '86400' }).end());
  expect(await failing(rig)).toContain('too many requests: try again in 1440 min');
  rig.hub.answers.delete(info);
  const fault = { path: 'model.safetensors', times: 1000, breakAfter: 1 };
  rig.hub.faults.push(fault);
  expect(await failing(rig)).toContain('error[no-connection]');
  expect(1000 - fault.times).toBe(5);
});

test('a wait that the hub asks for is shown with its reason', async () => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  rig.hub.faults.push({ path: 'owner/tiny', times: 1, status: 429, retryAfter: 2 });
  const { exitCode, all } = await rig.tuneloom('run');
  expect([exitCode, all]).toEqual([
    0,
    expect.stringContaining(
      'waiting  hf:owner/tiny: the host answers with status 429; it is asked again in <time>',
    ),
  ]);
});

test('a model with pickles alone is refused, and one with GGUF files names them', async () => {
  const config = Buffer.from('{}');
  const repositories = {
    'owner/tiny': dataset({ 'config.json': config, 'pytorch_model.bin': Buffer.from('p') }),
  };
  await using rig = await openRemoteRig(repositories, modelStage);
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[no-weights] \`hf:owner/tiny\` has no model.safetensors
    help: its weights are in other formats, which are not loaded because reading them can run code: look for a revision or a copy with safetensors"
  `);
  repositories['owner/tiny'].commits[firstCommit] = { 'a.Q4_0.gguf': config, 'b.Q8_0.gguf': config };
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[no-weights] \`hf:owner/tiny\` has no model.safetensors
    help: name one of its GGUF files after a colon, as in hf:owner/name:a.Q4_0.gguf: it has a.Q4_0.gguf, b.Q8_0.gguf"
  `);
  expect(rig.hub.requests.some(({ path }) => path.includes('/resolve/'))).toBe(false);
});

test('a dataset of several files asks for a choice, a pattern takes them all, and a faulty row is named by its address', async () => {
  const files = {
    'data/train-0.jsonl': rowsOf('a'),
    'data/train-1.jsonl': Buffer.from('{"id":"x"}\n[1]\n'),
    'data/test.csv': rowsOf('c'),
  };
  await using rig = await openRemoteRig(
    { 'datasets/owner/rows': dataset(files) },
    recordsStage('hf:datasets/owner/rows'),
  );
  expect(await failing(rig)).toMatchInlineSnapshot(`
    "error[several-data-files] \`hf:datasets/owner/rows\` holds 3 files of rows: data/train-0.jsonl, data/train-1.jsonl, data/test.csv
    help: name one, as in hf:datasets/owner/rows:data/train-0.jsonl, or a split, as in hf:datasets/owner/rows#train; a \`*\` in the name takes several"
  `);
  await rig.write('p.yaml', `name: p\nstages:\n${recordsStage('hf:datasets/owner/rows:data/train-*.jsonl')}`);
  const { exitCode, all } = await rig.tuneloom('run');
  expect([exitCode, all.slice(all.indexOf('failed'))]).toEqual([
    1,
    expect.stringContaining(
      'hf:datasets/owner/rows:data/train-*.jsonl/train-1.jsonl:2: it is a list, not an object',
    ),
  ]);
});

test('the files of Hugging Face’s own cache on the machine are taken, online and offline, if they are what the hub announces', async () => {
  await using rig = await openRemoteRig({ 'owner/tiny': await model() }, modelStage);
  const repository = join(rig.folder, 'home/.cache/huggingface/hub/models--owner--tiny');
  const snapshot = join(repository, 'snapshots', firstCommit);
  for (const folder of ['refs', 'blobs', `snapshots/${firstCommit}`])
    await mkdir(join(repository, folder), { recursive: true });
  await writeFile(join(repository, 'refs/main'), firstCommit);
  for (const [name, bytes] of Object.entries(await modelFiles())) {
    await writeFile(join(repository, 'blobs', name), bytes);
    await symlink(join('../../blobs', name), join(snapshot, name));
  }
  expect(await rig.withEnvironment({ HF_HUB_OFFLINE: '1' }, 'run')).toMatchObject({ exitCode: 0 });
  expect(rig.hub.requests).toEqual([]);
  const lock = await rig.lock();
  expect(lock).toContain(`"hf:owner/tiny": {"revision":"${firstCommit}"`);
  // The same folder by its path, whose files are links into the cache.
  await rig.write('local.yaml', `stages:\n  base: { uses: load, with: { model: ${snapshot} } }\n`);
  expect((await rig.tuneloom('run', 'local.yaml')).all).toContain('nothing had to run');
});

test('an https: source takes its content from a redirect, resumes only if it is unchanged, and is reported when it is gone', async () => {
  await using rig = await openRemoteRig({}, '');
  const rows = rowsOf(...Array.from({ length: 3000 }, (_, index) => `row ${index}`));
  let etag = '"one"';
  let asked = 0;
  rig.hub.answers.set(
    '/rows.jsonl',
    (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end(),
  );
  rig.hub.answers.set('/elsewhere', ({ headers }, response) => {
    asked += 1;
    const from =
      headers['if-range'] === etag ? Number(/bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0) : 0;
    const body = rows.subarray(from);
    if (from > 0) response.setHeader('content-range', `bytes ${from}-${rows.length - 1}/${rows.length}`);
    response.writeHead(from > 0 ? 206 : 200, { etag, 'content-length': body.length });
    if (asked > 2) return void response.end(body);
    response.write(body.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 20));
    if (asked === 2) etag = '"two"';
  });
  await rig.write('p.yaml', `name: p\nstages:\n${recordsStage(`${rig.hub.endpoint}/rows.jsonl`)}`);
  expect(await rig.tuneloom('run')).toMatchObject({ exitCode: 0 });
  expect(asked).toBe(3);
  expect(await rig.lock()).toMatch(/"http:\/\/127.0.0.1:\d+\/rows.jsonl": "sha256:[0-9a-f]{64}"/);
  expect((await rig.tuneloom('run')).all).toContain('nothing had to run');
  expect((await rig.tuneloom('update')).all).toContain('none changed');
  await rig.write('gone.yaml', `name: gone\nstages:\n${recordsStage(`${rig.hub.endpoint}/gone.jsonl`)}`);
  expect((await rig.tuneloom('run', 'gone.yaml')).all).toContain('answers with status 401');
});

test.each([
  ['http://data.example/rows.jsonl', 'unprotected-address'],
  ['https://user:hunter2-long@data.example/rows.jsonl', 'address-with-secret'],
  ['https://data.example/rows.jsonl?X-Amz-Signature=hunter2-long', 'address-with-secret'],
  ['hf:rows', 'bad-address'],
  ['hf:datasets/owner/rows:../../etc/passwd', 'bad-address'],
])('%s is refused before anything is asked for or stored', async (address, code) => {
  await using rig = await openRemoteRig({}, recordsStage(address));
  const { exitCode, all } = await rig.tuneloom('run', '--json');
  expect([exitCode, all.includes(`"${code}"`), all.includes('hunter2')]).toEqual([2, true, false]);
  expect((await readdir(rig.folder)).sort()).toEqual(['home', 'p.yaml', 'package.json']);
});
