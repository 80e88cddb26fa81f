import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openServe, type ServeRig } from './rig.ts';
import { writeScriptedModel } from './scripted-model.ts';

let cli: CliRig;
beforeAll(async () => {
  cli = await openCliRig({ 'package.json': '{}' });
  await writeScriptedModel(`${cli.folder}/model`, { script: 'a' });
});
afterAll(() => cli?.[Symbol.asyncDispose]());

const completion = { model: 'model', prompt: 'x', max_tokens: 3, temperature: 0 };

async function answerOf(server: ServeRig): Promise<string> {
  const { text, body } = await server.post('/v1/completions', completion);
  return body.choices?.[0].text ?? text;
}

describe('with a time limit', () => {
  let server: ServeRig;
  beforeAll(async () => {
    server = await openServe(cli, ['model', '--timeout', '1', '--batch-size', '4']);
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());
  const answers = () => answerOf(server);

  test('a client that does not send its headers or its body is cut off, and others are answered meanwhile', async () => {
    const head = 'POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n';
    const beginnings = ['POST /v1/comple', head, `${head}content-length: 1000\r\n\r\n{"model":`];
    const cut = beginnings.map(async (beginning) => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      let answer = '';
      socket.on('data', (piece) => {
        answer += piece.toString();
      });
      socket.on('error', () => {});
      socket.write(beginning);
      await once(socket, 'close');
      return answer.split('\r\n')[0];
    });
    expect(await answers()).toBe('aaa');
    expect(await Promise.all(cut)).toEqual(beginnings.map(() => 'HTTP/1.1 408 Request Timeout'));
    expect(await answers()).toBe('aaa');
  });

  test('a request that takes too long ends with an error, whole or streamed, and frees its rows', async () => {
    const long = { ...completion, prompt: new Array(120).fill('x'), max_tokens: 1000 };
    const { status, body } = await server.post('/v1/completions', long);
    expect([status, body.error.type, body.error.code]).toEqual([504, 'timeout_error', 'timeout']);
    const streamed = async () => {
      for await (const _ of await server.client.completions.create({ ...long, stream: true }));
    };
    await expect(streamed()).rejects.toThrow('no answer within 1 s');
    expect(await answers()).toBe('aaa');
    expect((await server.get('/metrics')).text).toMatch(/^tuneloom_answers\{state="waiting"\} 0$/m);
  });
});

test('a client that reads nothing does not hold up the others', async () => {
  await using server = await openServe(cli, ['model', '--batch-size', '4']);
  const body = JSON.stringify({
    ...completion,
    prompt: new Array(8).fill('x'),
    max_tokens: 200,
    stream: true,
  });
  const socket = connect({ host: '127.0.0.1', port: server.port });
  socket.pause();
  socket.on('error', () => {});
  socket.write(
    `POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  for (let round = 0; round < 3; round++) expect(await answerOf(server)).toBe('aaa');
  socket.destroy();
});
