import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openServe } from './rig.ts';
import { writeScriptedModel } from './scripted-model.ts';

describe('a server', () => {
  let cli: CliRig;
  beforeAll(async () => {
    cli = await openCliRig({ 'package.json': '{}' });
    await writeScriptedModel(`${cli.folder}/model`, { script: 'a' });
  });
  afterAll(async () => cli?.[Symbol.asyncDispose]());

  const completion = { model: 'model', prompt: 'x', max_tokens: 1000, temperature: 0 };

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'that gets %s ends its answers, refuses others, and ends',
    async (signal) => {
      await using server = await openServe(cli, ['model']);
      const stream = await server.client.completions.create({ ...completion, stream: true });
      let text = '';
      let refused: unknown;
      for await (const { choices } of stream) {
        text += choices[0]?.text ?? '';
        if (refused !== undefined) continue;
        server.kill(signal);
        // The signal takes its time.
        for (let status = 200; status === 200; )
          ({
            status,
            body: { status: refused },
          } = await server.get('/health'));
        const other = await server.post('/v1/completions', completion);
        refused = [refused, other.status, other.body.error.code, other.headers['retry-after']];
      }
      expect([text, refused]).toEqual(['a'.repeat(1000), ['stopping', 503, 'stopping', '5']]);
      const { exitCode, stderr } = await server.ended;
      expect([exitCode, stderr]).toEqual([
        0,
        'Stopping once 1 open answer has ended. Press Ctrl-C again to stop immediately.',
      ]);
    },
  );

  test('that gets a second signal ends at once, and its model with it', async () => {
    await using server = await openServe(cli, ['model']);
    const stream = await server.client.completions.create({ ...completion, max_tokens: 900, stream: true });
    const child = modelProcessOf(server.pid);
    let broken: unknown;
    try {
      for await (const _ of stream) {
        server.kill('SIGINT');
        for (let status = 200; status === 200; ) ({ status } = await server.get('/health'));
        server.kill('SIGINT');
      }
    } catch (error) {
      broken = error;
    }
    expect(broken).toBeInstanceOf(Error);
    expect((await server.ended).exitCode).toBe(130);
    await gone(child);
  });

  test('whose model crashes fails the answer, loads the model again, and answers the next', async () => {
    await using server = await openServe(cli, ['model']);
    expect(
      (await server.post('/v1/completions', { ...completion, max_tokens: 2 })).body.choices[0].text,
    ).toBe('aa');
    const stream = await server.client.completions.create({ ...completion, stream: true });
    let isAlive = true;
    const failed = (async () => {
      for await (const _ of stream) {
        if (isAlive) process.kill(modelProcessOf(server.pid), 'SIGKILL');
        isAlive = false;
      }
    })();
    await expect(failed).rejects.toThrow('the process of the model was ended by SIGKILL');
    for (let status = 503; status === 503; ) ({ status } = await server.get('/health'));
    expect(
      (await server.post('/v1/completions', { ...completion, max_tokens: 2 })).body.choices[0].text,
    ).toBe('aa');
    expect((await server.get('/metrics')).text).toContain('\ntuneloom_model_restarts_total 1\n');
    expect((await server.requests(3)).map(({ status }) => status)).toEqual([200, 500, 200]);
    server.kill('SIGTERM');
    expect((await server.ended).stderr).toMatch(
      /^warning: the process of the model was ended by SIGKILL.*; it is started again$/,
    );
  });

  test('whose model crashes before it has answered anything ends with a message', async () => {
    await using server = await openServe(cli, ['model']);
    process.kill(modelProcessOf(server.pid), 'SIGKILL');
    const { exitCode, stderr } = await server.ended;
    expect([exitCode, stderr]).toEqual([
      1,
      'error: the process of the model was ended by SIGKILL, perhaps for want of memory',
    ]);
  });

  test('is not started for a model that cannot be, nor where its port is taken', async () => {
    await cli.write('broken/config.json', '{"model_type":"gpt2"}');
    expect((await cli.tuneloom('serve', 'broken')).exitCode).toBe(2);
    await using server = await openServe(cli, ['model']);
    const { exitCode, stderr } = await cli.tuneloom('serve', 'model', '--port', `${server.port}`);
    expect([exitCode, stderr.split('\n')[0]]).toEqual([2, `error: the port ${server.port} is in use`]);
    const far = await cli.tuneloom('serve', 'model', '--port', '70000');
    expect([far.exitCode, far.stderr.split('\n')[0]]).toEqual([
      2,
      "error: option '--port <number>' argument '70000' is invalid. It takes a whole number from 0 to 65535.",
    ]);
    const long = await cli.tuneloom('serve', 'model', '--context-length', '4096');
    expect([long.exitCode, long.stderr]).toEqual([
      2,
      "error: the model's context has 1024 tokens, and --context-length asks for 4096",
    ]);
  });
});

/** The process of the model, a child of the server's. */
const modelProcessOf = (server: number | undefined): number =>
  Number(
    execFileSync('ps', ['-o', 'pid=', '--ppid', `${server}`])
      .toString()
      .trim(),
  );

/** Waits until a process is gone. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
