import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openEncoding } from '../../src/text/tokenizer/encoding-tokenizer.ts';
import { type CliRig, openCliRig } from '../cli/rig.ts';
import { openServe, type ServeRig } from './rig.ts';

const questions = ['Name a fruit.', 'Say it twice: fig, fig.', 'The capital of France is', 'x'];

/** A model with random weights, whose answers `generate` writes too. */
const pipeline = `name: serving
stages:
  base:
    uses: load
    with: { init: { context_length: 512, width: 16, layers: 2, heads: 2, encoding: r50k_base, seed: 3 } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: { prompt: "{{ instruction }}" } } }
  alpaca: { uses: format, from: load, with: { template: alpaca } }
  greedy: { uses: generate, from: { model: base, prompts: format }, with: { max_new_tokens: 24, clean: false, start: header } }
  drawn: { uses: generate, from: { model: base, prompts: format }, with: { max_new_tokens: 24, clean: false, temperature: 0.7, top_k: 40, top_p: 0.9, min_p: 0.01, repetition_penalty: 1.2, seed: 11 } }
  chat: { uses: generate, from: { model: base, prompts: alpaca }, with: { max_new_tokens: 16, clean: false, start: header } }
  scored: { uses: generate, from: { model: base, prompts: format }, with: { mode: rolling } }
`;

describe('answers of the server', () => {
  let cli: CliRig;
  let server: ServeRig;
  let generated: Readonly<Record<'greedy' | 'drawn' | 'chat' | 'scored', readonly Response[]>>;

  beforeAll(async () => {
    cli = await openCliRig({
      'package.json': '{}',
      // A request draws as the record `0` does: the number of the sample.
      'rows.jsonl': questions
        .map((instruction, index) => `${JSON.stringify({ id: `${index}`, instruction, output: 'o' })}\n`)
        .join(''),
      'serving.yaml': pipeline,
    });
    const { exitCode, stderr, stdout } = await cli.tuneloom('run', 'serving.yaml');
    expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, '']);
    const shown = async (stage: string): Promise<readonly Response[]> =>
      JSON.parse((await cli.tuneloom('show', stage, '--json')).stdout).content.items;
    generated = {
      ...{ greedy: await shown('greedy'), drawn: await shown('drawn') },
      ...{ chat: await shown('chat'), scored: await shown('scored') },
    };
    server = await openServe(cli, ['base', '--template', 'alpaca']);
  }, 60_000);
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    await cli?.[Symbol.asyncDispose]();
  });

  const greedy = { temperature: 0, max_tokens: 24 };
  const drawn = {
    ...{ temperature: 0.7, top_k: 40, top_p: 0.9, min_p: 0.01, repetition_penalty: 1.2, seed: 11 },
    max_tokens: 24,
  };
  const complete = async (prompt: unknown, settings: object) => {
    const { choices } = await server.client.completions.create({
      model: 'base',
      prompt,
      ...settings,
    } as never);
    return (choices as readonly Choice[]).map(({ text }) => text);
  };
  const responsesOf = (name: 'greedy' | 'drawn' | 'chat') => generated[name].map(({ response }) => response);

  test('are those of generate, greedy and drawn with a seed, one by one and all at once', async () => {
    for (const settings of [greedy, { ...drawn, seed: 11 }]) {
      const expected = settings === greedy ? responsesOf('greedy') : [generated.drawn[0]?.response];
      const asked = settings === greedy ? questions : questions.slice(0, 1);
      const alone: (string | undefined)[] = [];
      for (const question of asked) alone.push((await complete(question, settings))[0]);
      const crowd = [...asked, ...questions.map((question) => `${question} and`), ...asked];
      const together = await Promise.all(
        crowd.map(async (question) => (await complete(question, settings))[0]),
      );
      expect(alone).toEqual(expected);
      expect(together.slice(0, asked.length)).toEqual(expected);
      expect(together.slice(-asked.length)).toEqual(expected);
    }
  });

  test('are the same for a list of prompts, as texts and as tokens', async () => {
    const tokenizer = await openEncoding('r50k_base');
    expect(await complete(questions, greedy)).toEqual(responsesOf('greedy'));
    const tokens = questions.map((question) => [...tokenizer.encode(question)]);
    expect(await complete(tokens, greedy)).toEqual(responsesOf('greedy'));
    expect(await complete(tokens[0], greedy)).toEqual([responsesOf('greedy')[0]]);
  });

  test('with n, the samples differ, the first is that of n: 1, and a seed gives them again', async () => {
    const samples = await complete(questions[0], { ...drawn, n: 3 });
    expect(samples[0]).toBe(responsesOf('drawn')[0]);
    expect(new Set(samples).size).toBe(3);
    expect(await complete([questions[0], questions[1]], { ...drawn, n: 3 })).toEqual([
      ...samples,
      ...(await complete(questions[1], { ...drawn, n: 3 })),
    ]);
    const { seed: _, ...unseeded } = drawn;
    expect(await complete(questions[0], unseeded)).not.toEqual(await complete(questions[0], unseeded));
  });

  test('of a chat follow the template, and stream as the same text', async () => {
    for (const [index, question] of questions.entries()) {
      const asked = {
        ...{ model: 'base', temperature: 0, max_completion_tokens: 16 },
        messages: [{ role: 'user' as const, content: question }],
      };
      const { choices, usage } = await server.client.chat.completions.create(asked);
      expect(choices).toEqual([
        {
          index: 0,
          message: { role: 'assistant', content: generated.chat[index]?.response, refusal: null },
          logprobs: null,
          finish_reason: generated.chat[index]?.finish_reason,
        },
      ]);
      const chunks = [];
      const stream = await server.client.chat.completions.create({
        ...{ ...asked, stream: true, stream_options: { include_usage: true } },
      });
      for await (const chunk of stream) chunks.push(chunk);
      const deltas = chunks.flatMap(({ choices: [choice] }) => choice?.delta ?? []);
      expect(deltas[0]).toEqual({ role: 'assistant', content: '' });
      expect(deltas.map(({ content }) => content ?? '').join('')).toBe(generated.chat[index]?.response);
      expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('length');
      expect([chunks.at(-1)?.choices, chunks.at(-1)?.usage]).toEqual([[], usage]);
      expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    }
  });

  test('of a text stream piece by piece, several at once', async () => {
    const stream = await server.client.completions.create({
      ...{ model: 'base', prompt: questions, ...greedy, stream: true },
    });
    const texts = questions.map(() => '');
    let chunks = 0;
    for await (const { choices } of stream)
      for (const { index, text } of choices) {
        texts[index] += text;
        chunks += 1;
      }
    expect(texts).toEqual(responsesOf('greedy'));
    expect(chunks).toBeGreaterThan(40);
  });

  test('end before a stop text, of which a stream shows nothing', async () => {
    const whole = responsesOf('greedy')[0] ?? '';
    const stop = ['never', whole.slice(30, 37)];
    const expected = whole.slice(0, whole.indexOf(stop[1] ?? ''));
    const { choices } = await server.client.completions.create({
      ...{ model: 'base', prompt: questions[0] ?? '', ...greedy, stop, logprobs: 0 },
    });
    expect([choices[0]?.text, choices[0]?.finish_reason]).toEqual([expected, 'stop']);
    expect(choices[0]?.logprobs?.tokens?.join('').startsWith(expected)).toBe(true);
    const pieces: string[] = [];
    const stream = await server.client.completions.create({
      ...{ model: 'base', prompt: questions[0] ?? '', ...greedy, stop: stop[1] ?? '', stream: true },
    });
    for await (const { choices } of stream) pieces.push(choices[0]?.text ?? '');
    expect(pieces.join('')).toBe(expected);
  });

  test('tell log-probabilities, with those of the likeliest tokens, whole and streamed', async () => {
    const asked = { model: 'base', prompt: questions[0] ?? '', ...greedy, logprobs: 3 };
    const { choices } = await server.client.completions.create(asked);
    const told = choices[0]?.logprobs;
    expect(told?.tokens?.join('')).toBe(choices[0]?.text);
    expect(told?.text_offset).toEqual(offsetsOf(told?.tokens ?? []));
    for (const [index, top] of (told?.top_logprobs ?? []).entries()) {
      const values = Object.values(top);
      expect(values).toHaveLength(3);
      // A greedy answer takes the likeliest token.
      expect(told?.token_logprobs?.[index]).toBe(Math.max(...values));
    }
    const streamed: number[] = [];
    for await (const { choices } of await server.client.completions.create({ ...asked, stream: true }))
      streamed.push(...(choices[0]?.logprobs?.token_logprobs ?? []));
    expect(streamed).toEqual(told?.token_logprobs);
    const chat = await server.client.chat.completions.create({
      ...{ model: 'base', messages: [{ role: 'user', content: 'x' }], temperature: 0, max_tokens: 4 },
      ...{ logprobs: true, top_logprobs: 2 },
    });
    const content = chat.choices[0]?.logprobs?.content ?? [];
    expect(Buffer.concat(content.map(({ bytes }) => Uint8Array.from(bytes ?? []))).toString()).toBe(
      chat.choices[0]?.message.content,
    );
    expect(content.map(({ top_logprobs: [first] }) => first?.token)).toEqual(
      content.map(({ token }) => token),
    );
  });

  test('echo a prompt with the scores that generate gives it, with one more token or none', async () => {
    const end = 50256;
    const tokenizer = await openEncoding('r50k_base');
    for (const [index, question] of questions.entries()) {
      const prompt = [end, ...tokenizer.encode(question)];
      const asked = { model: 'base', prompt, temperature: 0, echo: true, logprobs: 1 };
      const [none, one] = await Promise.all(
        [0, 1].map((max_tokens) => server.client.completions.create({ ...asked, max_tokens })),
      );
      const scores = none?.choices[0]?.logprobs?.token_logprobs ?? [];
      expect(scores[0]).toBeNull();
      const sum = scores.slice(1).reduce((total, score) => total + score, 0);
      expect(sum).toBeCloseTo(generated.scored[index]?.log_likelihood ?? Number.NaN, 4);
      expect(none?.choices[0]?.text).toBe(`<|endoftext|>${question}`);
      expect(one?.choices[0]?.logprobs?.token_logprobs?.slice(0, -1)).toEqual(scores);
      expect(one?.choices[0]?.text?.startsWith(`<|endoftext|>${question}`)).toBe(true);
      const told = none?.choices[0]?.logprobs;
      expect(told?.text_offset).toEqual(offsetsOf(told?.tokens ?? []));
    }
  });

  test('heed a bias, and the penalties for tokens that were written', async () => {
    const fig = (await openEncoding('r50k_base')).encode(' fig')[0] ?? 0;
    const forced = await complete('x', { temperature: 0, max_tokens: 3, logit_bias: { [fig]: 100 } });
    expect(forced).toEqual([' fig fig fig']);
    const banned = await complete('x', { temperature: 0, max_tokens: 3, logit_bias: { [fig]: -100 } });
    expect(banned).toEqual([responsesOf('greedy')[3]?.slice(0, 12)]);
    for (const penalty of ['frequency_penalty', 'presence_penalty']) {
      const { choices } = await server.client.completions.create({
        ...{ model: 'base', prompt: 'x', ...greedy, [penalty]: 2, logprobs: 0 },
      });
      const tokens = choices[0]?.logprobs?.tokens ?? [];
      expect(new Set(tokens).size).toBe(tokens.length);
    }
  });

  test('come to generate through its own endpoints, as from the model itself', async () => {
    await cli.write(
      'through.yaml',
      `name: through
stages:
  remote: { uses: load, with: { model: "openai:base" } }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: { prompt: "{{ instruction }}" } } }
  generate: { from: { model: remote, prompts: format }, with: { max_new_tokens: 16, clean: false, endpoint: { base_url: "${server.address}/v1" } } }
`,
    );
    const { exitCode, stdout, stderr } = await cli.tuneloom('run', 'through.yaml');
    expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, '']);
    const shown = await cli.tuneloom('show', 'through.yaml', 'generate', '--json');
    const answers: readonly Response[] = JSON.parse(shown.stdout).content.items;
    expect(answers.map(({ response }) => response)).toEqual(responsesOf('chat'));
  });

  test('of a model that is asked about are there: its name, its context, its health, its metrics', async () => {
    const models = await server.client.models.list();
    expect(models.data).toEqual([
      { id: 'base', object: 'model', created: expect.any(Number), owned_by: 'tuneloom', max_model_len: 512 },
    ]);
    expect(await server.client.models.retrieve('base')).toEqual(models.data[0]);
    expect((await server.get('/health')).body).toEqual({ status: 'ok' });
    const { text } = await server.get('/metrics');
    expect(text).toMatch(/^tuneloom_requests_total\{path="\/v1\/completions",status="200"\} [1-9]\d*$/m);
    expect(text).toContain('\ntuneloom_answers{state="running"} 0\n');
  });
});

interface Response {
  readonly response: string;
  readonly finish_reason: string;
  readonly log_likelihood: number;
}

interface Choice {
  readonly text: string;
}

/** Where each text begins when they are joined. */
const offsetsOf = (texts: readonly string[]): readonly number[] =>
  texts.map((_, index) => texts.slice(0, index).join('').length);
