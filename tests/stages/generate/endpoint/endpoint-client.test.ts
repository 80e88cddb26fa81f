import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../../src/core/json.ts';
import { endpointClient } from '../../../../src/stages/generate/endpoint/endpoint-client.ts';
import { promptOf } from '../../../../src/stages/generate/prompt.ts';
import type { Answer } from '../../../../src/stages/generate/text-generation.ts';
import { generateDefaults } from '../generate-defaults.ts';
import { openEndpoint, type Reply, say, send } from './loopback-endpoint.ts';

const promptNamed = (id: string, text: string) =>
  promptOf({ id, segments: [{ role: 'prompt', text }], fields: {} }, 'prompt');

interface Asked {
  readonly prompts: readonly string[];
  readonly baseUrl?: string;
  readonly config?: JsonObject;
  readonly settings?: { concurrency?: number; timeout_seconds?: number; retries?: number };
  readonly environment?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

async function ask({ prompts, baseUrl, config, settings, environment = {}, signal }: Asked) {
  const answers: Answer[] = [];
  const endpoint = { concurrency: 2, timeout_seconds: 5, retries: 0, ...settings };
  const client = endpointClient('tiny', {
    config: generateDefaults({
      max_new_tokens: 8,
      ...config,
      endpoint: baseUrl === undefined ? endpoint : { base_url: baseUrl, ...endpoint },
    }),
    environment,
    signal: signal ?? new AbortController().signal,
  });
  await client.complete(
    prompts.map((prompt) => promptNamed(`id of ${prompt}`, prompt)),
    (answer) => answers.push(answer),
  );
  return answers;
}

/** Fails `times` times in the given way before it answers. */
function failingFirst(times: number, fail: Reply): Reply {
  let left = times;
  return async (received, response) => {
    if (left === 0) return say(response, `answer to ${received.prompt}`);
    left -= 1;
    await fail(received, response);
  };
}

const problem = (message: string) => ({ error: { message, type: 'test', code: null, param: null } });

test('each prompt is one chat message, with the sampling, and its answer comes back under its id', async () => {
  await using endpoint = await openEndpoint((received, response) =>
    say(response, ` ${received.prompt}! `, received.prompt === 'two' ? 'length' : 'stop'),
  );
  const config = { max_new_tokens: 5, temperature: 0.7, top_p: 0.9, top_k: 40, seed: 7, stop: ['\n'] };
  const answers = await ask({
    prompts: ['one', 'two'],
    baseUrl: endpoint.baseUrl,
    config,
    settings: { concurrency: 1 },
    environment: { OPENAI_API_KEY: 'sk-secret' },
  });
  expect(answers).toEqual([
    { id: 'id of one', text: ' one! ', finishReason: 'stop', tokens: 2 },
    { id: 'id of two', text: ' two! ', finishReason: 'length', tokens: 2 },
  ]);
  expect(endpoint.received[0]).toEqual({
    path: '/v1/chat/completions',
    authorization: 'Bearer sk-secret',
    body: {
      model: 'tiny',
      messages: [{ role: 'user', content: 'one' }],
      temperature: 0.7,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      stop: ['\n'],
      max_tokens: 5,
    },
    prompt: 'one',
  });
});

test('each sample of a prompt has its own seed', async () => {
  await using endpoint = await openEndpoint((_, response) => say(response, 'yes'));
  const prompts = [0, 1, 2].map((sample) => ({ ...promptNamed(`${sample}`, 'p'), sample }));
  const client = endpointClient('tiny', {
    config: generateDefaults({
      temperature: 1,
      seed: 7,
      endpoint: { base_url: endpoint.baseUrl, concurrency: 1, timeout_seconds: 5, retries: 0 },
    }),
    environment: {},
    signal: new AbortController().signal,
  });
  await client.complete(prompts, () => undefined);
  expect(endpoint.received.map(({ body }) => body.seed)).toEqual([7, 8, 9]);
});

test('an endless answer is not read to its end', async () => {
  await using endpoint = await openEndpoint((_, response) => {
    const piece = Buffer.alloc(1024 * 1024, ' ');
    const more = () => {
      while (!response.destroyed && response.write(piece));
      if (!response.destroyed) response.once('drain', more);
    };
    response.setHeader('content-type', 'application/json');
    more();
  });
  await expect(ask({ prompts: ['one'], baseUrl: endpoint.baseUrl })).rejects.toMatchObject({
    name: 'UserError',
  });
});

test('without an API key no authorization is sent', async () => {
  await using endpoint = await openEndpoint((_, response) => say(response, 'yes'));
  await ask({ prompts: ['one'], baseUrl: endpoint.baseUrl });
  expect(endpoint.received.map(({ authorization }) => authorization)).toEqual([undefined]);
});

test('the address comes from OPENAI_BASE_URL where the configuration has none', async () => {
  await using endpoint = await openEndpoint((_, response) => say(response, 'yes'));
  const answers = await ask({ prompts: ['p'], environment: { OPENAI_BASE_URL: endpoint.baseUrl } });
  expect(answers).toEqual([{ id: 'id of p', text: 'yes', finishReason: 'stop', tokens: 2 }]);
});

test('as many requests as the concurrency are open at the same time, and no more', async () => {
  await using endpoint = await openEndpoint(async (received, response) => {
    await wait(30);
    say(response, received.prompt);
  });
  const prompts = Array.from({ length: 9 }, (_, index) => `${index}`);
  const answers = await ask({ prompts, baseUrl: endpoint.baseUrl, settings: { concurrency: 3 } });
  expect({ peak: endpoint.peak(), asked: answers.map(({ text }) => text).sort() }).toEqual({
    peak: 3,
    asked: prompts,
  });
});

test.each([
  {
    fault: 'a rate limit',
    fail: (response) =>
      send(response, { status: 429, headers: { 'retry-after-ms': '10' }, body: problem('slow down') }),
  },
  {
    fault: 'a server error',
    fail: (response) =>
      send(response, { status: 500, headers: { 'retry-after-ms': '10' }, body: problem('oops') }),
  },
  { fault: 'a broken connection', fail: (response) => response.destroy() },
  {
    fault: 'a body that breaks off',
    fail: (response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{"choices"');
      setTimeout(() => response.destroy(), 10);
    },
  },
] satisfies { fault: string; fail: (response: Parameters<Reply>[1]) => void }[])(
  'after $fault the request is tried again',
  async ({ fail }) => {
    await using endpoint = await openEndpoint(failingFirst(1, (_, response) => fail(response)));
    const answers = await ask({ prompts: ['one'], baseUrl: endpoint.baseUrl, settings: { retries: 1 } });
    expect(answers.map(({ text }) => text)).toEqual(['answer to one']);
  },
);

test('a retry waits as long as Retry-After says, and an aborted run does not wait for it', async () => {
  await using endpoint = await openEndpoint((_, response) =>
    send(response, { status: 429, headers: { 'retry-after': '30' }, body: problem('slow down') }),
  );
  const controller = new AbortController();
  const asking = ask({
    prompts: ['one'],
    baseUrl: endpoint.baseUrl,
    settings: { retries: 1 },
    signal: controller.signal,
  });
  const ended = expect(asking).rejects.toMatchObject({ name: 'AbortError' });
  await wait(700); // the client's own first pause is at most 500 ms
  controller.abort();
  await ended;
  expect(endpoint.received.length).toBe(1);
});

test('the first failure ends the open requests and starts no more', async () => {
  await using endpoint = await openEndpoint(async (received, response) => {
    if (received.prompt === 'bad') return send(response, { status: 400, body: problem('too long') });
    await once(response, 'close');
  });
  const asking = ask({ prompts: ['slow', 'bad', 'never'], baseUrl: endpoint.baseUrl });
  await expect(asking).rejects.toMatchObject({ code: 'endpoint-refused' });
  expect(endpoint.received.map(({ prompt }) => prompt).sort()).toEqual(['bad', 'slow']);
});

interface Refusal {
  readonly fault: string;
  readonly reply: Reply;
  readonly code: string;
  readonly message: string;
  readonly help: string | undefined;
}

test.each<Refusal>([
  {
    fault: 'a wrong API key',
    reply: (_, response) => send(response, { status: 401, body: problem('Incorrect API key: sk-secret') }),
    code: 'endpoint-unauthorized',
    message: '<address> does not accept the API key: Incorrect API key: <the API key>',
    help: 'set the environment variable OPENAI_API_KEY',
  },
  {
    fault: 'an unknown model',
    reply: (_, response) => send(response, { status: 404, body: problem('model "tiny" not found') }),
    code: 'endpoint-no-model',
    message: '<address> has no model `tiny`: model "tiny" not found',
    help: 'load a model that the endpoint serves, and check that its address is complete (it usually ends in /v1)',
  },
  {
    fault: 'a lasting rate limit',
    reply: (_, response) => send(response, { status: 429, body: problem('slow down') }),
    code: 'endpoint-rate-limit',
    message: '<address> asks for fewer requests: slow down',
    help: 'lower `endpoint.concurrency`, or raise `endpoint.retries`',
  },
  {
    fault: 'a lasting server error',
    reply: (_, response) => send(response, { status: 503, body: problem('overloaded') }),
    code: 'endpoint-failed',
    message: '<address> failed with status 503: overloaded',
    help: undefined,
  },
  {
    fault: 'a refused field',
    reply: (_, response) => send(response, { status: 400, body: problem('unknown field top_k') }),
    code: 'endpoint-refused',
    message: '<address> refused the request with status 400: unknown field top_k',
    help: undefined,
  },
  {
    fault: 'no answer in time',
    reply: () => undefined,
    code: 'endpoint-timeout',
    message: '<address> gave no answer within 0.2 s',
    help: 'raise `endpoint.timeout_seconds`, or lower `endpoint.concurrency`',
  },
  {
    fault: 'a body that never ends',
    reply: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write('{');
    },
    code: 'endpoint-timeout',
    message: '<address> gave no answer within 0.2 s',
    help: 'raise `endpoint.timeout_seconds`, or lower `endpoint.concurrency`',
  },
  {
    fault: 'a page instead of an answer',
    reply: (_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end('<h1>Hello</h1>');
    },
    code: 'endpoint-malformed-answer',
    message: "<address> does not speak OpenAI's protocol: its answer has no `choices[0].message`",
    help: 'the address usually ends in /v1',
  },
  {
    fault: 'half an answer',
    reply: (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"choices": [');
    },
    code: 'endpoint-malformed-answer',
    message: "<address> does not speak OpenAI's protocol: its answer is not JSON",
    help: 'the address usually ends in /v1',
  },
  {
    fault: 'an answer that is no text',
    reply: (_, response) => send(response, { body: { choices: [{ message: { content: [1] } }] } }),
    code: 'endpoint-malformed-answer',
    message: "<address> does not speak OpenAI's protocol: `choices[0].message.content` is not a string",
    help: 'the address usually ends in /v1',
  },
])('$fault is told with the address and without the key', async ({ reply, code, message, help }) => {
  await using endpoint = await openEndpoint(reply);
  const asking = ask({
    prompts: ['one'],
    baseUrl: endpoint.baseUrl,
    settings: { timeout_seconds: 0.2 },
    environment: { OPENAI_API_KEY: 'sk-secret' },
  });
  await expect(asking).rejects.toMatchObject({
    name: 'UserError',
    code,
    message: message.replace('<address>', endpoint.baseUrl),
    help,
  });
});

test('a redirection is not followed: neither the prompt nor the API key goes anywhere else', async () => {
  await using other = await openEndpoint((_, response) => say(response, 'thanks for the key'));
  const location = `${other.baseUrl}/chat/completions?from=here`;
  await using endpoint = await openEndpoint((_, response) =>
    send(response, { status: 307, headers: { location }, body: {} }),
  );
  const asking = ask({
    prompts: ['one'],
    baseUrl: endpoint.baseUrl,
    settings: { retries: 2 },
    environment: { OPENAI_API_KEY: 'sk-secret' },
  });
  await expect(asking).rejects.toMatchObject({
    name: 'UserError',
    code: 'endpoint-redirects',
    message: `${endpoint.baseUrl} redirects requests to ${other.baseUrl}, where neither the prompts nor the API key were sent`,
    help: 'if you trust that address, set `endpoint.base_url` or OPENAI_BASE_URL to it',
  });
  expect([endpoint.received.length, other.received.length]).toEqual([1, 0]);
});

test('a refused connection names the address and how to fix it', async () => {
  const closed = await openEndpoint(() => undefined);
  await closed[Symbol.asyncDispose]();
  await expect(ask({ prompts: ['one'], baseUrl: closed.baseUrl })).rejects.toMatchObject({
    name: 'UserError',
    code: 'endpoint-unreachable',
    message: `${closed.baseUrl} refused the connection`,
    help: 'start the server, or set `endpoint.base_url` or OPENAI_BASE_URL to where it is',
  });
});

test('OpenAI itself is not asked without an API key', async () => {
  await expect(ask({ prompts: ['one'], baseUrl: 'https://api.openai.com/v1' })).rejects.toMatchObject({
    name: 'UserError',
    code: 'no-api-key',
  });
});

const withheldBy = (fields: JsonObject) => (prompt: string, response: Parameters<Reply>[1]) => {
  if (prompt === 'fine') return say(response, 'yes');
  const { finish_reason = 'stop', ...message } = fields;
  send(response, { body: { choices: [{ message: { role: 'assistant', ...message }, finish_reason }] } });
};

test.each([
  ['content_filter', { content: null, finish_reason: 'content_filter' }, ''],
  ['content_filter', { content: 'Half of', finish_reason: 'content_filter' }, 'Half of'],
  ['refusal', { content: null, refusal: 'I cannot.' }, ''],
] as const)(
  'an answer that an endpoint withholds is an error about its record, or is kept as what it is: %s %j',
  async (reason, fields, text) => {
    const reply = withheldBy(fields);
    await using endpoint = await openEndpoint(({ prompt }, response) => reply(prompt, response));
    const { baseUrl } = endpoint;
    await expect(ask({ prompts: ['bad', 'fine'], baseUrl })).rejects.toMatchObject({
      code: 'endpoint-withheld',
      records: [{ id: 'id of bad', problem: `it ended with \`${reason}\`` }],
    });
    // The other prompt is asked before the error.
    expect(endpoint.received.map(({ prompt }) => prompt).sort()).toEqual(['bad', 'fine']);
    const [kept] = await ask({ prompts: ['bad'], baseUrl, config: { withheld: 'keep' } });
    expect(kept).toMatchObject({ text, finishReason: reason });
  },
);

test('tool calls without a text are no answer', async () => {
  const calls = [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }];
  const reply = withheldBy({ content: null, tool_calls: calls, finish_reason: 'tool_calls' });
  await using endpoint = await openEndpoint(({ prompt }, response) => reply(prompt, response));
  await expect(ask({ prompts: ['a'], baseUrl: endpoint.baseUrl })).rejects.toMatchObject({
    code: 'endpoint-tool-calls',
  });
});

test.each([
  ['retry-after', '100000', '28 hours'],
  ['retry-after-ms', '90000', '90 s'],
  ['retry-after', new Date(Date.now() + 86_400_000).toUTCString(), '24 hours'],
])(
  'an endpoint that asks to wait for longer than a minute is not waited for: %s %s',
  async (name, value, wait) => {
    await using endpoint = await openEndpoint((_, response) =>
      send(response, { status: 429, headers: { [name]: value }, body: problem('slow down') }),
    );
    await expect(
      ask({ prompts: ['a'], baseUrl: endpoint.baseUrl, settings: { retries: 3 } }),
    ).rejects.toMatchObject({
      code: 'endpoint-long-wait',
      message: expect.stringContaining(`wait ${wait} before`),
    });
    expect(endpoint.received).toHaveLength(1);
  },
);

test.each(['sk-a\nsecond', 'sk-ключ', 'sk-a\u0001', 'sk a'])(
  'a key that no header can hold is refused before it is sent, and not shown: %j',
  async (OPENAI_API_KEY) => {
    const asked = ask({ prompts: ['a'], baseUrl: 'http://127.0.0.1:9/v1', environment: { OPENAI_API_KEY } });
    await expect(asked).rejects.toMatchObject({
      code: 'bad-api-key',
      message: expect.not.stringContaining('sk-'),
    });
  },
);
