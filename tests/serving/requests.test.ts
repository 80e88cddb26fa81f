import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openServe, type ServeRig } from './rig.ts';
import { writeScriptedModel } from './scripted-model.ts';

const key = 'a-key-for-these-tests';

describe('requests', () => {
  let cli: CliRig;
  let server: ServeRig;
  beforeAll(async () => {
    cli = await openCliRig({ 'package.json': '{}', 'key.txt': `${key}\n` });
    await writeScriptedModel(`${cli.folder}/model`, { script: 'a' });
    server = await openServe(cli, [
      ...['model', '--batch-size', '2', '--max-body', '100000', '--max-requests', '3'],
      ...['--allow-origin', 'https://page.test'],
    ]);
  }, 60_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await cli?.[Symbol.asyncDispose]();
  });

  const completion = { model: 'model', prompt: 'x', max_tokens: 3, temperature: 0 };
  const chat = { model: 'model', messages: [{ role: 'user', content: 'x' }], max_tokens: 3, temperature: 0 };
  const errorOf = async (path: string, body: unknown) => {
    const answer = await server.post(`/v1/${path}`, body);
    return [answer.status, answer.body.error.param, answer.body.error.message];
  };

  test('are answered where every field is heeded, and null is no field', async () => {
    const nothing = { n: null, stop: null, stream: null, logprobs: null, suffix: null, tools: null };
    const { suffix: _, ...ofChat } = nothing;
    const { tools: __, ...ofText } = nothing;
    expect(
      (await server.post('/v1/completions', { ...completion, ...ofText, best_of: 1, user: 'me' })).status,
    ).toBe(200);
    const asked = {
      ...chat,
      ...ofChat,
      store: false,
      service_tier: 'auto',
      response_format: { type: 'text' },
    };
    expect((await server.post('/v1/chat/completions', asked)).status).toBe(200);
    const parts = [{ role: 'user', content: [{ type: 'text', text: 'x' }], type: 'text' }];
    expect((await server.post('/v1/chat/completions', { ...chat, messages: parts })).status).toBe(200);
  });

  test.each<[string, object, string, string]>([
    ['completions', { best_of: 4 }, 'best_of', '`best_of` is not supported: every answer is returned'],
    ['completions', { suffix: 'end' }, 'suffix', '`suffix` is not supported: the model only continues texts'],
    [
      'completions',
      { temprature: 1 },
      'temprature',
      '`temprature` is not a field that this server heeds; did you mean `temperature`?',
    ],
    [
      'completions',
      { top_p: 2, n: 0 },
      'top_p',
      '`top_p` is not a number from 0 to 1; `n` is not a whole number from 1 to 128',
    ],
    ['completions', { prompt: ['a', 1] }, 'prompt', '`prompt` has an item 1 that is not a list'],
    ['completions', { prompt: [] }, 'prompt', '`prompt` is an empty list'],
    ['completions', { prompt: [1, 100000] }, 'prompt', 'the model has no token 100000: its ids end at 271'],
    ['completions', { stop: new Array(5000).fill('a') }, 'stop', '`stop` has 5000 items, and 64 is the most'],
    ['completions', { stop: '' }, 'stop', '`stop` is empty'],
    ['completions', { logit_bias: { a: 1 } }, 'logit_bias', "`logit_bias` has `a`, which is no token's id"],
    [
      'completions',
      { prompt: new Array(100).fill('a'), n: 2 },
      'n',
      '`n` asks for 200 answers in one request, and 128 is the most',
    ],
    [
      'completions',
      { prompt: 'a'.repeat(2000) },
      'prompt',
      'the context has 1024 tokens; the prompt has 2000, and 3 are asked for',
    ],
    [
      'completions',
      { prompt: 'a'.repeat(50_000) },
      'prompt',
      'the prompt has 50000 characters, more than a context of 1024 tokens can hold',
    ],
    [
      'completions',
      { stream_options: { include_usage: true } },
      'stream_options',
      '`stream_options` means nothing without `stream`',
    ],
    [
      'chat/completions',
      { response_format: { type: 'json_object' } },
      'response_format',
      '`response_format` is not supported: the form of an answer cannot be enforced',
    ],
    [
      'chat/completions',
      { tool_choice: 'required' },
      'tool_choice',
      '`tool_choice` can be `auto` or `none`: this server cannot make the model call a tool',
    ],
    [
      'chat/completions',
      { reasoning_effort: 'high' },
      'reasoning_effort',
      '`reasoning_effort` is not supported: the model has no such thing',
    ],
    ['chat/completions', { top_logprobs: 3 }, 'top_logprobs', '`top_logprobs` needs `logprobs: true`'],
    [
      'chat/completions',
      { messages: [{ role: 'robot', content: 'x' }] },
      'messages',
      '`messages` has an item 0 that has the role "robot", which is not one of system, developer, user, assistant, tool',
    ],
    [
      'chat/completions',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages',
      '`messages` has an item 0 that has a content with parts that are not text, which is not supported',
    ],
    ['chat/completions', { messages: [] }, 'messages', '`messages` is an empty list'],
    [
      'chat/completions',
      { max_tokens: 1, max_completion_tokens: 2 },
      'max_tokens',
      '`max_tokens` differs from `max_completion_tokens`',
    ],
    [
      'chat/completions',
      { chat_template_kwargs: { enable_thinking: false } },
      'messages',
      'the chat template does not use the variable `enable_thinking` of `chat_template_kwargs`',
    ],
    [
      'chat/completions',
      { messages: [{ role: 'user', content: 'x', name: 'ada' }] },
      'messages',
      'the model would not read all of it: the template does not use the field `name` of a turn',
    ],
  ])(
    'to %s are refused by the name of a field that is not heeded (%#)',
    async (path, fields, param, message) => {
      const body = path === 'completions' ? completion : chat;
      expect(await errorOf(path, { ...body, ...fields })).toEqual([400, param, message]);
    },
  );

  test('for another model or another address are told so in the same shape', async () => {
    const { status, body } = await server.post('/v1/completions', { ...completion, model: 'gpt-4' });
    expect([status, body]).toEqual([
      404,
      {
        error: {
          message: 'there is no model `gpt-4` here; this server has `model`',
          ...{ type: 'invalid_request_error', param: 'model', code: 'model_not_found' },
        },
      },
    ]);
    expect((await server.post('/v1/embeddings', {})).body.error.code).toBe('unknown_url');
    expect((await server.get('/v1/models/other')).body.error.code).toBe('model_not_found');
  });

  test('that are no JSON, too deep or too long are refused, and the server goes on', async () => {
    expect((await server.post('/v1/completions', '{"model": ')).status).toBe(400);
    expect((await server.post('/v1/completions', '[]')).status).toBe(400);
    expect((await server.post('/v1/completions', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
    for (const deep of [
      '['.repeat(40_000),
      `{"model":"model","messages":${'[{"a":'.repeat(5000)}1${'}]'.repeat(5000)}}`,
    ])
      expect((await server.post('/v1/chat/completions', deep)).body.error.message).toBe(
        'the body of the request is nested more than 128 levels deep',
      );
    const huge = await server.post('/v1/completions', { ...completion, prompt: 'a'.repeat(200_000) });
    expect([huge.status, huge.body.error.code]).toEqual([413, 'request_too_large']);
    const odd = `{"model":"model","prompt":"x","max_tokens":1,"__proto__":{"n":2},"constructor":1}`;
    expect((await server.post('/v1/completions', odd)).body.error.param).toBe('__proto__');
    expect((await server.post('/v1/completions', completion)).status).toBe(200);
  });

  test('of pages of other origins are refused, unless they are allowed', async () => {
    const from = (origin: string) => server.post('/v1/completions', completion, { origin });
    expect((await from('https://evil.test')).body.error.code).toBe('foreign_origin');
    const allowed = await from('https://page.test');
    expect([allowed.status, allowed.headers['access-control-allow-origin']]).toEqual([
      200,
      'https://page.test',
    ]);
    const asks = {
      method: 'OPTIONS',
      headers: { origin: 'https://page.test', 'access-control-request-headers': 'content-type' },
    };
    const preflight = await server.get('/v1/completions', asks);
    expect([preflight.status, preflight.headers['access-control-allow-headers']]).toEqual([
      204,
      'content-type',
    ]);
    const foreign = { ...asks, headers: { ...asks.headers, origin: 'https://evil.test' } };
    expect((await server.get('/v1/completions', foreign)).status).toBe(403);
    // A page that rebinds its own name to this machine.
    expect((await server.get('/v1/models', { headers: { host: 'evil.test' } })).status).toBe(421);
    expect((await server.get('/v1/models', { headers: { host: 'localhost:1' } })).status).toBe(200);
  });

  test('that come when as many are open as may be are told to come again', async () => {
    const asked = { ...completion, max_tokens: 900, logit_bias: { 0: -100 } };
    const all = await Promise.all(Array.from({ length: 6 }, () => server.post('/v1/completions', asked)));
    const refused = all.filter(({ status }) => status === 429);
    expect(all.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(3);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers, body } of refused)
      expect([headers['retry-after'], body.error.code]).toEqual(['1', 'queue_full']);
  });

  test('whose client has left free their rows, and are logged as such', async () => {
    const before = (await server.requests(0)).length;
    const leaving = Array.from({ length: 2 }, async () => {
      const stopped = new AbortController();
      const asked = { ...completion, max_tokens: 1000, stream: true as const };
      const stream = await server.client.completions.create(asked, { signal: stopped.signal });
      for await (const _ of stream) stopped.abort();
    });
    await Promise.allSettled(leaving);
    const lines = (await server.requests(before + 2)).slice(before);
    expect(lines.map(({ status, stream }) => [status, stream])).toEqual([
      [499, true],
      [499, true],
    ]);
    // Both rows of the batch are free.
    expect((await server.post('/v1/completions', completion)).body.choices[0].text).toBe('aaa');
    expect((await server.get('/metrics')).text).toContain('\ntuneloom_answers{state="running"} 0\n');
  });

  test('are served on the loopback address alone', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) expect(await canConnect(address, server.port)).toBe(false);
  });

  test('need the key where there is one, which the log and the process of the model never see', async () => {
    await using guarded = await openServe(cli, ['model', '--host', '0.0.0.0', '--api-key-file', 'key.txt']);
    const post = (authorization?: string) =>
      guarded.post('/v1/completions', completion, authorization === undefined ? {} : { authorization });
    for (const wrong of [
      undefined,
      'Bearer',
      `Bearer ${key}x`,
      `Basic ${key}`,
      `Bearer ${'x'.repeat(key.length)}`,
    ]) {
      const { status, body, headers } = await post(wrong);
      expect([status, body.error.code, headers['www-authenticate']]).toEqual([
        401,
        'invalid_api_key',
        'Bearer',
      ]);
    }
    expect((await post(`Bearer ${key}`)).status).toBe(200);
    expect((await guarded.get('/v1/models')).status).toBe(401);
    expect((await guarded.get('/health')).status).toBe(200);
    guarded.kill('SIGTERM');
    const { exitCode, stderr } = await guarded.ended;
    expect([exitCode, stderr, JSON.stringify(guarded.lines).includes(key)]).toEqual([0, '', false]);
  });

  test('cannot come from other machines without a key, nor with one that is no key', async () => {
    expect(await cli.tuneloom('serve', 'model', '--host', '0.0.0.0')).toEqual({
      exitCode: 2,
      stdout: '',
      stderr:
        'error: other machines can reach 0.0.0.0, and there is no API key\n  help: set TUNELOOM_API_KEY, or name a file that holds the key with --api-key-file',
    });
    const short = await cli.tuneloomWith({ TUNELOOM_API_KEY: 'a b' }, 'serve', 'model', '--host', '0.0.0.0');
    expect(short.stderr).toContain('error: TUNELOOM_API_KEY holds no usable API key');
    expect(short.stderr).not.toContain('a b');
  });
});

const canConnect = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
