import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openLoopbackHub } from '../remote/rig/loopback-hub.ts';
import { firstCommit, modelFiles } from '../remote/rig/remote-rig.ts';
import { openServe } from './rig.ts';

const model = join(import.meta.dirname, '../fixtures/training/tiny-gpt2');
const pipeline = `name: tuned
stages:
  base: { uses: load, with: { model: ${model} } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: completion } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 16, train_on: all } }
  train: { from: { model: base, train: collate }, with: { epochs: 6, lora: { r: 4 }, optimizer: { name: adamw, learning_rate: 0.1 }, sample: { max_new_tokens: 0 } } }
  ask: { uses: format, from: load, with: { template: { prompt: "{{ text }}" } } }
  plain: { uses: generate, from: { model: base, prompts: ask }, with: { max_new_tokens: 6, clean: false } }
  tuned: { uses: generate, from: { model: base, adapter: train, prompts: ask }, with: { max_new_tokens: 6, clean: false } }
`;
const texts = ['w3 w4', 'w7', 'w1 w2 w9'];

describe('a server', () => {
  let cli: CliRig;
  beforeAll(async () => {
    cli = await openCliRig({
      'package.json': '{}',
      'rows.jsonl': texts.map((text, index) => `${JSON.stringify({ id: `r${index}`, text })}\n`).join(''),
      'tuned.yaml': pipeline,
    });
    const { exitCode, stdout, stderr } = await cli.tuneloom('run', 'tuned.yaml');
    expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  }, 60_000);
  afterAll(async () => cli?.[Symbol.asyncDispose]());

  const responses = async (stage: string): Promise<readonly unknown[]> => {
    const { stdout } = await cli.tuneloom('show', 'tuned.yaml', stage, '--json');
    return JSON.parse(stdout).content.items.map(({ response }: JsonObject) => response);
  };

  test('has the model and its adapters side by side, each of which answers as in generate', async () => {
    await using server = await openServe(cli, ['tuned.yaml', 'base', '--adapter', 'tuned=train']);
    const { data } = await server.client.models.list();
    expect(data.map(({ id, ...others }) => [id, 'parent' in others ? others.parent : undefined])).toEqual([
      ['base', undefined],
      ['tuned', 'base'],
    ]);
    const answersOf = async (name: string) => {
      const asked = { model: name, prompt: texts, max_tokens: 6, temperature: 0 };
      const answer = await server.client.completions.create(asked);
      expect(answer.model).toBe(name);
      return answer.choices.map(({ text }) => text);
    };
    // Both at once.
    const [plain, tuned] = await Promise.all([answersOf('base'), answersOf('tuned')]);
    expect([plain, tuned]).toEqual([await responses('plain'), await responses('tuned')]);
    expect(plain).not.toEqual(tuned);
    const wrong = await server.post('/v1/completions', { model: 'train', prompt: 'w1' });
    expect(wrong.body.error.message).toBe('there is no model `train` here; this server has `base`, `tuned`');
  });

  test('refuses an adapter of the name of the model, and a message for a model without a chat template', async () => {
    const twice = await cli.tuneloom('serve', 'tuned.yaml', 'base', '--adapter', 'base=train');
    expect([twice.exitCode, twice.stderr.split('\n')[0]]).toEqual([
      2,
      'error: the model and an adapter have the name `base`',
    ]);
    await using server = await openServe(cli, ['tuned.yaml', 'train', '--name', 'mine/tuned']);
    const messages = [{ role: 'user', content: 'w1' }];
    const { status, body } = await server.post('/v1/chat/completions', { model: 'mine/tuned', messages });
    expect([status, body.error.code]).toEqual([400, 'no_chat_template']);
    expect((await server.client.models.retrieve('mine/tuned')).id).toBe('mine/tuned');
  });

  test('downloads a model of the hub once, serves it under its name there, and lists no run for it', async () => {
    const runs = async () => (await cli.tuneloom('runs', '--json')).stdout;
    const runsBefore = await runs();
    const commits = { [firstCommit]: await modelFiles() };
    const hub = await openLoopbackHub({ 'someone/tiny': { refs: { main: firstCommit }, commits } });
    await using _hub = hub;
    const environment = { HF_ENDPOINT: hub.endpoint };
    for (const isFirst of [true, false]) {
      const before = hub.requests.length;
      await using server = await openServe(cli, ['hf:someone/tiny'], environment);
      expect(server.model).toBe('someone/tiny');
      const asked = { model: 'someone/tiny', prompt: [1, 2], max_tokens: 2, temperature: 0 };
      expect((await server.post('/v1/completions', asked)).status).toBe(200);
      expect(hub.requests.length > before).toBe(isFirst);
    }
    expect(await runs()).toBe(runsBefore);
    const missing = await cli.tuneloomWith(environment, 'serve', 'hf:someone/other');
    expect([missing.exitCode, missing.stdout]).toEqual([2, '']);
    expect(missing.stderr).toContain('someone/other');
  });
});
