import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import {
  everything,
  firstCommit,
  modelFiles,
  openRemoteRig,
  rowsOf,
  secondCommit,
  token,
} from './rig/remote-rig.ts';

const stages = `  base:
    uses: load
    with: { model: hf:owner/tiny }
  rows:
    uses: load
    with: { records: "hf:datasets/owner/rows@main:data/train.jsonl" }
`;

const repositories = async () => ({
  'owner/tiny': {
    refs: { main: firstCommit },
    commits: {
      [firstCommit]: {
        ...(await modelFiles()),
        'pytorch_model.bin': Buffer.from('a pickle'),
        'modeling_tiny.py': Buffer.from('code'),
        'README.md': Buffer.from('read me'),
        'onnx/model.onnx': Buffer.from('other weights'),
      },
    },
  },
  'datasets/owner/rows': {
    refs: { main: firstCommit },
    commits: {
      [firstCommit]: { 'data/train.jsonl': rowsOf('one', 'two'), 'README.md': Buffer.from('r') },
      [secondCommit]: { 'data/train.jsonl': rowsOf('one', 'three') },
    },
  },
});

const decisionsOf = (printed: string): Record<string, unknown> =>
  Object.fromEntries(
    JSON.parse(printed).stages.map((stage: { stage: string; decision: string; reason?: string }) => [
      stage.stage,
      stage.reason === undefined ? stage.decision : `${stage.decision}: ${stage.reason}`,
    ]),
  );

test('plan and explain touch no network, change nothing, and say what is not resolved yet', async () => {
  await using rig = await openRemoteRig(await repositories(), stages);
  const plan = await rig.tuneloom('plan', '--json');
  expect(decisionsOf(plan.all)).toEqual({
    base: 'undecided: hf:owner/tiny is not resolved yet',
    rows: 'undecided: hf:datasets/owner/rows@main:data/train.jsonl is not resolved yet',
  });
  expect(await rig.tuneloom('explain', 'base')).toEqual({
    exitCode: 0,
    all: 'base hf:owner/tiny is not resolved yet; it has not run before',
  });
  expect(rig.hub.requests).toEqual([]);
  expect((await readdir(rig.folder)).sort()).toEqual(['home', 'p.yaml', 'package.json']);
});

test('a run resolves each source once, takes only what a model needs, and locks revision and digest', async () => {
  await using rig = await openRemoteRig(await repositories(), stages);
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  const asked = rig.hub.requests.filter(({ path }) => path.includes('/resolve/')).map(({ path }) => path);
  expect(asked.sort()).toEqual([
    `/datasets/owner/rows/resolve/${firstCommit}/data/train.jsonl`,
    ...['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'].map(
      (name) => `/owner/tiny/resolve/${firstCommit}/${name}`,
    ),
  ]);
  const rows = createHash('sha256').update(rowsOf('one', 'two')).digest('hex');
  const files = Object.entries(await modelFiles()).map(([path, bytes]) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    return `{"digest":"${digest}","path":"${path}","size":${bytes.length}}`;
  });
  const model = createHash('sha256')
    .update(`{"files":[${files.join(',')}]}`)
    .digest('hex');
  expect((await rig.lock()).split('\n').slice(1, 5)).toEqual([
    'format: 1',
    'sources:',
    `  "hf:datasets/owner/rows@main:data/train.jsonl": {"revision":"${firstCommit}","digest":"sha256:${rows}"}`,
    `  "hf:owner/tiny": {"revision":"${firstCommit}","digest":"sha256-folder:${model}"}`,
  ]);
  expect(await readdir(join(rig.folder, 'artifacts/downloads'))).toEqual([]);

  const requests = rig.hub.requests.length;
  expect((await rig.tuneloom('run')).all).toContain('nothing had to run; 2 stages reused');
  expect((await rig.tuneloom('plan', '--check')).exitCode).toBe(0);
  expect(rig.hub.requests.length).toBe(requests);
});

test('a fresh clone with its lock and a shared store is a no-op without network, also with --locked', async () => {
  await using rig = await openRemoteRig(await repositories(), stages);
  await rig.tuneloom('run');
  await rig.write('clone/package.json', '{}');
  await rig.write('clone/p.yaml', await readFile(join(rig.folder, 'p.yaml'), 'utf8'));
  await rig.write('clone/p.lock.yaml', await rig.lock());
  const requests = rig.hub.requests.length;
  const offline = { HF_ENDPOINT: 'http://127.0.0.1:9', HF_HUB_OFFLINE: '1' };
  const store = join(rig.folder, 'artifacts');
  for (const words of [['run'], ['run', '--locked'], ['run', '--force', 'rows', '--force', 'base']])
    expect(await rig.withEnvironment(offline, ...words, 'clone/p.yaml', '--store', store)).toMatchObject({
      exitCode: 0,
    });
  expect(rig.hub.requests.length).toBe(requests);
});

test('a fresh clone with its lock and no store downloads the locked revision, though the branch has moved on', async () => {
  const hub = await repositories();
  await using rig = await openRemoteRig(hub, stages);
  await rig.tuneloom('run');
  const lock = await rig.lock();
  await rm(join(rig.folder, 'artifacts'), { recursive: true });
  hub['datasets/owner/rows'].refs.main = secondCommit;
  expect((await rig.tuneloom('run', '--locked')).exitCode).toBe(0);
  expect(await rig.lock()).toBe(lock);
  expect(await readFile(join(rig.folder, 'artifacts/outputs/p/rows/records'), 'utf8')).toContain('two');
});

test('run --locked resolves nothing new, and takes no other content than the lock names', async () => {
  const hub = await repositories();
  await using rig = await openRemoteRig(hub, stages);
  await rig.tuneloom('run', 'base');
  const requests = rig.hub.requests.length;
  expect(await rig.tuneloom('run', '--locked')).toMatchInlineSnapshot(`
    {
      "all": "p.yaml:8:22 error[differs-from-lock] \`hf:datasets/owner/rows@main:data/train.jsonl\` is not in the lock, and --locked resolves nothing new
       8 |     with: { records: "hf:datasets/owner/rows@main:data/train.jsonl"...
         |                      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      help: run without --locked, or \`tuneloom update\`, to lock it
    1 error. Nothing ran.",
      "exitCode": 4,
    }
  `);
  expect(rig.hub.requests.length).toBe(requests);

  await rig.tuneloom('run');
  await rm(join(rig.folder, 'artifacts'), { recursive: true });
  // The commit was rewritten: the hub must not be trusted.
  hub['datasets/owner/rows'].commits[firstCommit] = { 'data/train.jsonl': rowsOf('forged') };
  const { exitCode, all } = await rig.tuneloom('run', '--locked', 'rows');
  expect([exitCode, all.includes('is not what it was when it was resolved')]).toEqual([1, true]);
});

test('update resolves again, shows old and new, writes the lock, and the next run takes the new content', async () => {
  const hub = await repositories();
  await using rig = await openRemoteRig(hub, stages);
  await rig.tuneloom('run');
  const before = await rig.lock();
  hub['datasets/owner/rows'].refs.main = secondCommit;
  expect((await rig.tuneloom('run')).all).toContain('nothing had to run');
  expect(await rig.tuneloom('update', 'hf:owner/tiny')).toMatchObject({
    exitCode: 0,
    all: expect.stringContaining('1 source resolved again, none changed'),
  });
  expect(await rig.lock()).toBe(before);
  expect(await rig.tuneloom('update')).toMatchInlineSnapshot(`
    {
      "all": "fetching hf:owner/tiny
    fetched  hf:owner/tiny in <time>
    fetching hf:datasets/owner/rows@main:data/train.jsonl
    fetched  hf:datasets/owner/rows@main:data/train.jsonl in <time>
    p: 2 sources resolved again, 1 changed
      hf:owner/tiny  unchanged (111111111111  sha256-folder:d981d12c5659)
      hf:datasets/owner/rows@main:data/train.jsonl
        was 111111111111  sha256:f799d45bea73
        is  222222222222  sha256:b2851b8323dd",
      "exitCode": 0,
    }
  `);
  const after = (await rig.lock()).split('\n').filter((line) => !before.includes(line));
  expect(after).toEqual([expect.stringContaining(`{"revision":"${secondCommit}"`)]);
  expect((await rig.tuneloom('run', '--locked')).exitCode).toBe(4);
  expect((await rig.tuneloom('explain', 'rows')).all).toContain('with.records');
  expect(decisionsOf((await rig.tuneloom('plan', '--json')).all)).toMatchObject({
    base: 'reuse',
    rows: 'run: the content of `with.records` changed',
  });
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  expect((await rig.tuneloom('run', '--locked')).exitCode).toBe(0);
  expect((await rig.tuneloom('update', 'hf:owner/tinny')).all).toContain('did you mean `hf:owner/tiny`?');
});

test('after a kill in the middle of a download, the next run resumes it, and verify is clean', async () => {
  await using rig = await openRemoteRig(await repositories(), stages);
  rig.hub.faults.push({ path: 'model.safetensors', times: 1, stallAfter: 600_000 });
  const seen = rig.hub.seen('model.safetensors');
  const running = rig.start(['run']);
  await seen;
  const downloads = join(rig.folder, 'artifacts/downloads');
  while (
    !(await everything(downloads)).some(([path, text]) => path.endsWith('.part') && text.length >= 500_000)
  );
  running.kill('SIGKILL');
  await running;
  expect((await rig.tuneloom('run')).exitCode).toBe(0);
  const ranges = rig.hub.requests.filter(({ host }) => host === 'storage').map(({ range }) => range);
  expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[56]\d{5}-$/)]);
  expect((await rig.tuneloom('verify')).exitCode).toBe(0);
  expect(await readdir(downloads)).toEqual([]);
});

test('the token goes to the hub alone, and is in no key, record, lock, log or error', async () => {
  const hub = await repositories();
  Object.assign(hub['owner/tiny'], { access: 'private' });
  await using rig = await openRemoteRig(hub, stages);
  const printed = [await rig.withEnvironment({ HF_TOKEN: token }, 'run', '--json')];
  rig.hub.faults.push({ path: 'owner/tiny', times: 99, status: 403 });
  for (const words of [
    ['update'],
    ['update', '--json'],
    ['plan'],
    ['runs', 'latest', '--json'],
    ['doctor', '--json'],
  ])
    printed.push(await rig.withEnvironment({ HF_TOKEN: token }, ...words));
  expect(printed[0]?.exitCode).toBe(0);
  expect(
    rig.hub.requests.every(({ host, authorization }) => (authorization !== undefined) === (host === 'hub')),
  ).toBe(true);
  const holds = (text: string): boolean => text.includes(token) || text.includes('secret-of-storage');
  expect(printed.filter(({ all }) => holds(all))).toEqual([]);
  const files = await everything(rig.folder);
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter(([, text]) => holds(text)).map(([path]) => path)).toEqual([]);
});

test.each(['', 'inner/'])(
  'a model’s chat templates with other names are taken, online and from the cache of Hugging Face’s tools: %j',
  async (prefix) => {
    const template = (text: string) =>
      Buffer.from(`{% for m in messages %}${text}{{ m.content }}{% endfor %}`);
    const named = {
      ...(await modelFiles()),
      'chat_template.jinja': template('plain '),
      'additional_chat_templates/tool_use.jinja': template('tools '),
      'additional_chat_templates/README.md': Buffer.from('read me'),
      'additional_chat_templates/old/rag.jinja': template('old '),
    };
    const files = Object.fromEntries(
      Object.entries(named).map(([path, bytes]) => [`${prefix}${path}`, bytes] as const),
    );
    const address = prefix === '' ? 'hf:owner/tiny' : '"hf:owner/tiny:inner"';
    const repository = { refs: { main: firstCommit }, commits: { [firstCommit]: files } };
    await using rig = await openRemoteRig(
      { 'owner/tiny': repository },
      `  base: { uses: load, with: { model: ${address} } }\n`,
    );
    const templates = async (store: string) => {
      expect(await rig.tuneloom('export', 'base', '--to', `out-${store}`, '--store', store)).toMatchObject({
        exitCode: 0,
      });
      return (await everything(join(rig.folder, `out-${store}`)))
        .filter(([path]) => path.endsWith('.jinja'))
        .map(([path, text]) => [path.slice(path.indexOf(`out-${store}`) + 5 + store.length), text])
        .sort();
    };
    const expected = [
      ['additional_chat_templates/tool_use.jinja', String(template('tools '))],
      ['chat_template.jinja', String(template('plain '))],
    ];
    expect(await rig.tuneloom('run', '--store', 'online')).toMatchObject({ exitCode: 0 });
    expect(await templates('online')).toEqual(expected);

    const cache = join(rig.folder, 'cache/models--owner--tiny');
    await mkdir(join(cache, 'refs'), { recursive: true });
    await writeFile(join(cache, 'refs/main'), firstCommit);
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(cache, 'snapshots', firstCommit, path)), { recursive: true });
      await writeFile(join(cache, 'snapshots', firstCommit, path), bytes);
    }
    const offline = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: join(rig.folder, 'cache') };
    expect(await rig.withEnvironment(offline, 'run', '--store', 'offline')).toMatchObject({ exitCode: 0 });
    expect(await templates('offline')).toEqual(expected);
  },
);
