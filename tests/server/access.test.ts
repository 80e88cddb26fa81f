import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCliRig } from '../cli/rig.ts';
import { openUi, type UiRig, uiProject } from './rig.ts';

describe('the server of the pages', () => {
  let ui: UiRig;
  beforeAll(async () => {
    ui = await openUi(await openCliRig(uiProject));
  });
  afterAll(async () => {
    await ui[Symbol.asyncDispose]();
    await ui.cli[Symbol.asyncDispose]();
  });

  const bearer = () => ({ authorization: `Bearer ${ui.token}` });
  const statusOf = async (
    path: string,
    headers: Record<string, string> = {},
    method = 'GET',
    body?: string,
  ) => (await ui.raw(path, { headers, method, ...(body === undefined ? {} : { body }) })).status;

  test('answers nothing without the token, in every place', async () => {
    const folder = new URL(ui.base).pathname;
    for (const path of [
      '/',
      folder,
      `${folder}ui.js`,
      `${folder}api/project`,
      `${folder}api/runs`,
      '/api/project',
    ])
      expect([path, await statusOf(path)]).toEqual([path, 401]);
    expect(await statusOf(`${folder}?token=${'A'.repeat(ui.token.length)}`)).toBe(401);
    expect(await statusOf(`${folder}?token=`)).toBe(401);
    expect(await statusOf(`${folder}api/project`, { authorization: `Bearer ${ui.token}x` })).toBe(401);
    expect(await statusOf('/other/api/project', bearer())).toBe(401);
    expect(await statusOf(`${folder}api/runs/x/stop`, {}, 'POST')).toBe(401);
  });

  test('exchanges the token for a cookie that scripts and other paths never see', async () => {
    const answer = await ui.raw(ui.address);
    const { pathname } = new URL(ui.base);
    expect(answer.headers['set-cookie']).toEqual([
      `tuneloom-ui=${ui.token}; Path=${pathname}; HttpOnly; SameSite=Strict`,
    ]);
    // Not by a redirect, with which a strict cookie would not be sent after a link from elsewhere.
    expect([answer.status, answer.text.includes(`content="0;url=${pathname}"`)]).toEqual([200, true]);
    expect(await statusOf('api/project', { cookie: `tuneloom-ui=${ui.token}` })).toBe(200);
    expect(await statusOf('api/project', { cookie: 'tuneloom-ui=other' })).toBe(401);
  });

  test.each(['evil.test', 'evil.test:80', 'localhost', '127.0.0.1:1', '127.0.0.1.evil.test', '[::1]'])(
    'refuses the host %s, under which a page that rebinds its name would come',
    async (name) => {
      const host = name.includes('.evil.test') ? `${name}:${ui.port}` : name;
      expect(await statusOf(ui.address, { host })).toBe(421);
      expect(await statusOf('api/project', { ...bearer(), host })).toBe(421);
    },
  );

  test('answers as localhost too', async () => {
    expect(await statusOf('api/project', { ...bearer(), host: `localhost:${ui.port}` })).toBe(200);
  });

  test.each([
    ['another origin', { origin: 'http://evil.test' }],
    ['a sandboxed page', { origin: 'null' }],
    [
      'another port, which counts as the same site',
      { origin: 'http://127.0.0.1:1', 'sec-fetch-site': 'same-site' },
    ],
    ['a request without an origin from the same site', { 'sec-fetch-site': 'same-site' }],
    ['a request from another site', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    ['a frame', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
    [
      'a link to what programs read',
      { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
  ])('refuses %s, even with the token', async (_, headers) => {
    expect(await statusOf('api/project', { ...bearer(), ...headers })).toBe(403);
    expect(await statusOf('api/runs/x/stop', { ...bearer(), ...headers }, 'POST', '{}')).toBe(403);
  });

  test('a link from elsewhere opens the page, and can change nothing', async () => {
    const link = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(await statusOf(ui.address, link)).toBe(200);
    expect(await statusOf('', { ...bearer(), ...link }, 'POST')).toBe(403);
  });

  test('takes no form, which a page of another origin could send', async () => {
    const form = { ...bearer(), 'content-type': 'application/x-www-form-urlencoded' };
    const { status, text } = await ui.raw('api/runs', {
      method: 'POST',
      headers: form,
      body: 'pipeline=small.yaml',
    });
    expect([status, JSON.parse(text)]).toEqual([
      400,
      { error: { code: 'bad-request', message: 'the request is not of type application/json' } },
    ]);
  });

  test('tells the browser to run only its own scripts and to reach nothing else', async () => {
    const { headers } = await ui.raw('', { headers: bearer() });
    const { date: _, connection: __, 'keep-alive': ___, 'content-length': ____, ...others } = headers;
    expect(others).toEqual({
      'cache-control': 'no-store',
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'content-type': 'text/html; charset=UTF-8',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });

  test('is on the loopback address alone', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of others) expect(await canConnect(address, ui.port)).toBe(false);
    expect(await canConnect('127.0.0.1', ui.port)).toBe(true);
  });

  test('knows only pipelines and runs of its project, and never joins a path of a request', async () => {
    for (const pipeline of [
      '../small.yaml',
      '/etc/passwd',
      'answer.mjs',
      'small.yaml/../small.yaml',
      '--help.yaml',
    ]) {
      const { status, body } = await ui.send('POST', 'runs', { pipeline, params: {}, stages: [] });
      expect([pipeline, status, body]).toEqual([
        pipeline,
        404,
        {
          error: {
            code: 'not-found',
            message: `there is no pipeline ${JSON.stringify(pipeline)} in this project`,
          },
        },
      ]);
    }
    const odd = { pipeline: 'small.yaml', params: { other: '1' }, stages: ['--force'] };
    expect((await ui.send('POST', 'runs', odd)).body).toEqual({
      error: { code: 'bad-request', message: 'the pipeline has no other, --force' },
    });
    expect(await statusOf('api/runs/..%2f..%2fpackage', bearer())).toBe(404);
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
