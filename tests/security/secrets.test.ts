import { readdir, readFile, readlink } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { childEnvironment } from '../../src/runtime/execute/stage-process.ts';
import { type CliRig, openCliRig } from '../cli/rig.ts';

const tuneloomScript = fileURLToPath(new URL('../../dist/tuneloom.js', import.meta.url));

const secrets = {
  OPENAI_API_KEY: 'sk-test-4f1c2d7e9a',
  HF_TOKEN: 'hf_test_81b2c3d4e5',
  PRIVATE_KEY: '-----BEGIN KEY-----\nMIIBVwIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----',
  AWS_SECRET_ACCESS_KEY: 'aws-test-55aa66bb77',
};

const project = {
  'package.json': '{}',
  'rows.jsonl': '{"id":"a","instruction":"Say hi.","output":"hi"}\n',
  'p.yaml': `name: p
stages:
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  model: { uses: load, with: { model: openai:some-model } }
  generate: { from: { model: model, prompts: format }, with: { endpoint: { retries: 0 } } }
  upload:
    uses: shell
    with:
      command: 'echo "token $HF_TOKEN"; printf "%s\\n" "$PRIVATE_KEY" >&2; echo done > "$OUT_log"; exit $CODE'
      outputs: { log: file }
      environment: [HF_TOKEN, PRIVATE_KEY, CODE]
`,
};

const answer = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
});

interface Endpoint extends AsyncDisposable {
  readonly address: string;
}

async function openEndpoint(listener: RequestListener): Promise<Endpoint> {
  const server = createServer(listener);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // a TCP server has a port
  return {
    address: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

function start(
  rig: CliRig,
  { address, words, code = '0' }: { address: string; words: string[]; code?: string },
) {
  const env = {
    PATH: process.env.PATH,
    HOME: rig.folder,
    NO_COLOR: '1',
    CODE: code,
    OPENAI_BASE_URL: address,
  };
  return execa(process.execPath, [tuneloomScript, ...words], {
    cwd: rig.folder,
    env: { ...env, ...secrets },
    extendEnv: false,
    reject: false,
    all: true,
  });
}

const pieces = Object.values(secrets).flatMap((secret) =>
  secret.split('\n').map((line) => line.slice(0, 12)),
);

/** The files of the whole project, the store among them, that hold any part of a secret. */
async function leaks(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  const texts = await Promise.all(files.map(async (path) => [path, await readFile(path, 'latin1')] as const));
  expect(texts.length).toBeGreaterThan(8);
  return texts.filter(([path, text]) => holds(`${path}\n${text}`)).map(([path]) => path);
}

const holds = (text: string): boolean => pieces.some((piece) => text.includes(piece));

const reading = [
  ['run', '--json', '--keep-going'],
  ['runs', 'latest'],
  ['runs', '--json'],
  ['explain', 'upload'],
  ['plan', '--json'],
  ['show', 'upload', '--json'],
  ['doctor', '--json'],
];

test.each([
  ['a success', '0', (_, response) => response.setHeader('content-type', 'application/json').end(answer)],
  [
    'a failure whose server repeats the key',
    '3',
    (request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: `wrong key: ${request.headers.authorization}` } }));
    },
  ],
] satisfies readonly [string, string, RequestListener][])(
  'after %s no secret is in the store, the lock or anything printed',
  async (_, code, listener) => {
    await using rig = await openCliRig(project);
    await using endpoint = await openEndpoint(listener);
    const { address } = endpoint;
    const run = await start(rig, { address, code, words: ['run', '--keep-going'] });
    expect([run.exitCode, run.all.includes('token <secret>')]).toEqual([code === '0' ? 0 : 1, true]);
    const printed = await Promise.all(reading.map((words) => start(rig, { address, code, words })));
    expect([run, ...printed].filter(({ all }) => holds(all)).map(({ command }) => command)).toEqual([]);
    expect(await leaks(rig.folder)).toEqual([]);
  },
);

test('a key that the server repeats in its answer is not in the response, nor in the answers that are kept', async () => {
  await using rig = await openCliRig(project);
  await using endpoint = await openEndpoint((request, response) => {
    const content = `your header is ${request.headers.authorization}`;
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }];
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ choices }));
  });
  const { address } = endpoint;
  const run = await start(rig, { address, words: ['run'] });
  const shown = await start(rig, { address, words: ['show', 'generate'] });
  expect([run.exitCode, shown.stdout.includes('your header is Bearer <secret>')]).toEqual([0, true]);
  expect(await leaks(rig.folder)).toEqual([]);
});

test.skipIf(process.platform !== 'linux')(
  'a stage process sees the secrets that its stage asks for and no others, and a crash leaves none behind',
  async () => {
    await using rig = await openCliRig(project);
    let asked = (): void => {};
    const reached = new Promise<void>((resolve) => {
      asked = resolve;
    });
    await using endpoint = await openEndpoint(() => asked());
    const running = start(rig, { address: endpoint.address, words: ['run'] });
    await reached;
    const children = await childrenOf(running.pid);
    const environments = await Promise.all(
      children.map(async (child) => (await readFile(`/proc/${child}/environ`, 'utf8')).split('\0')),
    );
    for (const child of children) process.kill(Number(child), 'SIGKILL');
    running.kill('SIGKILL');
    await running;
    const seen = environments.map((environment) =>
      Object.keys(secrets).filter((name) => environment.some((each) => each.startsWith(`${name}=`))),
    );
    // The other processes served the stages before.
    expect(seen.flat()).toEqual(['OPENAI_API_KEY']);
    expect(await leaks(rig.folder)).toEqual([]);
  },
);

/** The processes that a process started and that run tuneloom's stages. */
async function childrenOf(parent: number | undefined): Promise<readonly string[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(
    numbers.map(async (pid) => [pid, await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')] as const),
  );
  const children = parents.filter(([, stat]) => stat.split(') ').at(-1)?.split(' ')[1] === String(parent));
  const programs = await Promise.all(
    children.map(async ([pid]) => [pid, await readlink(`/proc/${pid}/exe`).catch(() => '')] as const),
  );
  return programs.filter(([, program]) => program === process.execPath).map(([pid]) => pid);
}

test('a process gets the variables that programs need to run and those that its stage names, and no others', () => {
  const outside = {
    PATH: '/bin',
    https_proxy: 'http://proxy',
    CUDA_VISIBLE_DEVICES: '0',
    GITHUB_TOKEN: 't',
    ...secrets,
  };
  const needed = { PATH: '/bin', https_proxy: 'http://proxy', CUDA_VISIBLE_DEVICES: '0' };
  expect(childEnvironment(outside)).toEqual(needed);
  expect(childEnvironment(outside, ['HF_TOKEN', 'ABSENT'])).toEqual({
    ...needed,
    HF_TOKEN: secrets.HF_TOKEN,
  });
});

test.each([
  'http://user:hunter2-long@localhost/v1',
  'http://localhost/v1?key=hunter2-long',
  'http://localhost/v1#hunter2-long',
])('an address with a secret in it is refused before it is stored, and not repeated: %#', async (address) => {
  const inYaml = project['p.yaml'].replace('retries: 0', `base_url: "${address}"`);
  await using rig = await openCliRig({ ...project, 'p.yaml': inYaml });
  const { exitCode, all } = await start(rig, { address, words: ['run', '--json'] });
  expect([exitCode, all.includes('hunter2-long'), all.includes('endpoint-address-with-secret')]).toEqual([
    2,
    false,
    true,
  ]);
  expect((await readdir(rig.folder)).sort()).toEqual(Object.keys(project).sort());
});
