import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'vitest';
import { sourceResolvers } from '../../../src/remote/source-resolvers.ts';
import { failureOf } from '../../../src/runtime/execute/run-action.ts';
import * as generate from '../../../src/stages/generate/run-generate.ts';
import { generateDefaults } from '../../stages/generate/generate-defaults.ts';
import { mutated, randomFrom } from './mutations.ts';

type Random = () => number;
type Given = (what: unknown) => void;

/** A server that gives one strange answer after the other, and what asks it. */
interface StrangeServer extends AsyncDisposable {
  readonly ask: (random: Random, given: Given) => Promise<void>;
}

const pick = <T>(random: Random, list: readonly T[]): T => {
  const item = list[Math.floor(random() * list.length)];
  if (item === undefined) throw new Error('an empty list');
  return item;
};

interface Strange {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** How the body ends: whole, broken off, or not at all. */
  readonly end: 'whole' | 'broken' | 'open';
}

const statuses = [
  200, 200, 200, 200, 200, 201, 204, 206, 301, 302, 307, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500,
  503, 599, 999,
];
const types = ['application/json', 'application/json; charset=x', 'text/html', 'text/event-stream', '', 'x'];
const extra: readonly (readonly [string, readonly string[]])[] = [
  [
    'retry-after',
    ['0', '-5', '100000', 'x', '1e9', 'Fri, 01 Jan 2100 00:00:00 GMT', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ],
  ['retry-after-ms', ['0', '-1', '99999999', 'x']],
  ['x-should-retry', ['false', 'x']],
  ['location', ['http://127.0.0.1:9/', '//', 'x', '/v1/chat/completions', 'javascript:x', 'http://[']],
  ['content-encoding', ['gzip', 'identity', 'x']],
  ['link', ['<x>; rel="next"', '<', '<http://127.0.0.1:9/>; rel="next"']],
  ['x-repo-commit', ['x', '1'.repeat(40), '']],
  ['etag', ['"x"', 'W/""', '', '../../x']],
  ['x-linked-size', ['-1', 'x', '1e99', '3']],
  ['x-linked-etag', ['"../x"', `"${'a'.repeat(64)}"`]],
  ['content-length', ['0', '3', '100000']],
];
const texts = [
  ...[
    '',
    'null',
    '[]',
    '{}',
    '5',
    '"x"',
    '<html><body>Sign in</body></html>',
    '{',
    '\ufeff{}',
    'data: {}\n\n',
  ],
  ...[
    '{"error":null}',
    '{"error":"x"}',
    '{"error":{"message":5}}',
    '[null]',
    '[[]]',
    '{"__proto__":{"x":1}}',
    '\u001b[2J',
  ],
];

/** Most answers are good ones with a change somewhere; the others are random. */
function strange(random: Random, good: string): Strange {
  const kind = random();
  const body = kind < 0.15 ? good : kind < 0.75 ? String(mutated(good, random)) : pick(random, texts);
  const chosen = extra
    .filter(() => random() < 0.08)
    .map(([name, list]) => [name, pick(random, list)] as const);
  return {
    status: random() < 0.6 ? 200 : pick(random, statuses),
    headers: {
      'content-type': random() < 0.8 ? 'application/json' : pick(random, types),
      ...Object.fromEntries(chosen),
    },
    body,
    end: random() < 0.96 ? 'whole' : random() < 0.8 ? 'broken' : 'open',
  };
}

function reply(response: ServerResponse, { status, headers, body, end }: Strange): void {
  response.on('error', () => {});
  response.writeHead(status, headers);
  // A body that is longer or shorter than announced is part of what is strange.
  response.strictContentLength = false;
  if (end === 'whole') return void response.end(body);
  response.write(body.slice(0, body.length / 2) || ' ');
  if (end === 'broken') setTimeout(() => response.destroy(), 1);
}

async function openServer(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await new Promise((listening) => server.once('listening', listening));
  const { port } = server.address() as AddressInfo; // a server that listens on a port has an address of this form
  return {
    address: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Throws unless an error is one that the user is told of. */
function checkTold(error: unknown): void {
  expect(failureOf(error, new AbortController().signal)).toMatchObject({
    kind: expect.stringMatching(/^(stage-error|storage)$/),
  });
}

const completion = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'yes', refusal: null, tool_calls: null },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 2 },
});

/** Lets generate ask an endpoint. */
export async function askStrangeEndpoint(folder: string): Promise<StrangeServer> {
  let next: Strange = { status: 200, headers: {}, body: completion, end: 'whole' };
  const server = await openServer((_, response) => reply(response, next));
  const path = (name: string) => join(folder, name);
  await mkdir(path('model'), { recursive: true });
  await writeFile(path('model/endpoint.json'), '{"provider":"openai","model":"m"}');
  const record = { id: 'a', segments: [{ role: 'prompt', text: 'Hi' }], fields: {} };
  await writeFile(path('prompts'), `${JSON.stringify(record)}\n`);
  const ask = async (random: Random, given: Given) => {
    next = strange(random, completion);
    given(next);
    const config = generateDefaults({
      withheld: pick(random, ['fail', 'keep']),
      endpoint: { base_url: `${server.address}/v1`, retries: 0, timeout_seconds: 0.3 },
    });
    for (const name of ['responses', 'state']) await rm(path(name), { recursive: true, force: true });
    const action = {
      stage: 'generate',
      uses: 'generate',
      version: 1,
      config: JSON.parse(JSON.stringify(config)),
      inputs: { model: { path: path('model') }, prompts: { path: path('prompts') } },
      outputs: { responses: { path: path('responses') } },
      statePath: path('state'),
      resources: {},
    };
    await generate.run(action, { signal: new AbortController().signal, report: () => {} }).catch(checkTold);
  };
  return { ask, [Symbol.asyncDispose]: server.close };
}

const commit = 'c'.repeat(40);
const revision = JSON.stringify({
  id: 'x/y',
  sha: commit,
  siblings: [{ rfilename: 'rows.jsonl' }],
  gated: false,
});
const tree = JSON.stringify([{ type: 'file', oid: 'f'.repeat(40), size: 3, path: 'rows.jsonl' }]);

/** Lets the resolver of `hf:` ask a hub, each time with another answer to one of its kinds of request. */
export async function askStrangeHub(folder: string): Promise<StrangeServer> {
  let random: Random = randomFrom(0);
  let answers: Record<string, Strange> = {};
  const server = await openServer(({ url = '' }, response) => {
    const kind = url.includes('/tree/') ? 'tree' : url.includes('/api/') ? 'info' : 'file';
    const good = { tree, info: revision, file: 'abc' }[kind];
    answers[kind] ??=
      random() < 0.6
        ? strange(random, good)
        : { status: 200, headers: { 'content-type': 'application/json' }, body: good, end: 'whole' };
    const answer = answers[kind];
    reply(response, answer.end === 'open' ? { ...answer, end: 'broken' } : answer);
  });
  const environment = {
    HF_ENDPOINT: server.address,
    HF_HOME: join(folder, 'home'),
  };
  const ask = async (numbers: Random, given: Given) => {
    random = numbers;
    answers = {};
    given(answers);
    const address = pick(random, ['hf:datasets/x/y', 'hf:datasets/x/y:rows.jsonl', 'hf:x/y', 'hf:x/y@v1']);
    const to = join(folder, 'download');
    await rm(to, { recursive: true, force: true });
    await mkdir(to, { recursive: true });
    const { signal } = new AbortController();
    const fetchIt = async () => {
      const fetcher = await sourceResolvers(environment).get('hf')?.load();
      const found = await fetcher?.resolve({ address, signal });
      await fetcher?.fetch({
        address,
        signal,
        revision: found,
        folder: to,
        report: () => {},
        inspect: async () => {},
      });
    };
    await fetchIt().catch(checkTold);
  };
  return { ask, [Symbol.asyncDispose]: server.close };
}
