import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { GenerateConfig } from '../../../src/generated/generate-config.ts';
import type { StageReport } from '../../../src/runtime/stage/stage-definition.ts';
import { checkSamples } from '../../../src/stages/generate/generate-stage.ts';
import { run } from '../../../src/stages/generate/run-generate.ts';
import { parseResponse } from '../../../src/text/response-record.ts';
import expected from '../../fixtures/model/tiny-gpt2.json' with { type: 'json' };
import { generateDefaults } from './generate-defaults.ts';

const tinyModel = join(import.meta.dirname, '../../fixtures/model/tiny-gpt2');
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'generate-'));
});
afterAll(() => rm(root, { recursive: true }));

const defaults = generateDefaults({
  max_new_tokens: 10,
  batch_size: 2,
  endpoint: { concurrency: 1, timeout_seconds: 1, retries: 0 },
});
const words = (ids: readonly number[]) => ids.map((id) => `w${id}`).join(' ');
const records = expected.prompts.map((ids, index) => ({
  id: `record-${index}`,
  segments: [
    { role: 'prompt', text: words(ids) },
    { role: 'header', text: ' w17 ' },
    { role: 'response', text: 'w1 w2' },
  ],
  fields: { number: index },
}));

interface Given {
  readonly config?: Partial<GenerateConfig>;
  readonly prompts?: readonly JsonObject[];
  readonly model?: string;
  /** A stage's folder from before. */
  readonly statePath?: string;
  /** Ends the run after this many answers. */
  readonly abortAfter?: number;
}

/** Runs the stage on its own files, as the runtime would. */
async function generate({ config, prompts = records, model = tinyModel, ...given }: Given) {
  const folder = await mkdtemp(join(root, 'run-'));
  const [input, output] = [join(folder, 'prompts.jsonl'), join(folder, 'responses.jsonl')];
  await writeFile(input, prompts.map((record) => `${JSON.stringify(record)}\n`).join(''));
  const reports: StageReport[] = [];
  const action = {
    stage: 'generate',
    uses: 'generate',
    version: 1,
    config: { ...defaults, ...config } as JsonObject, // a configuration is JSON
    inputs: { model: { path: model }, prompts: { path: input } },
    outputs: { responses: { path: output } },
    statePath: given.statePath ?? join(folder, 'state'),
    resources: { backend: 'cpu' },
  };
  const abort = new AbortController();
  const report = (one: StageReport) => {
    if (reports.push(one) === given.abortAfter) abort.abort();
  };
  const host = { signal: abort.signal, report };
  const measurements = await run(action, host);
  const text = await readFile(output, 'utf8');
  const responses: Json[] = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return { text, responses, reports, measurements };
}

describe('in text mode', () => {
  test('each record gets its answer, in the order of the records, with what its prompt was made from', async () => {
    const { responses, reports, measurements } = await generate({ config: { clean: false } });
    expect(responses).toEqual(
      expected.prompts.map((ids, index) => ({
        id: `record-${index}`,
        prompt: words(ids),
        expected: 'w1 w2',
        fields: { number: index },
        response: words(expected.untied.greedy[index] ?? []),
        finish_reason: 'length',
      })),
    );
    const done = reports.map((report) => (report.type === 'progress' ? report.done : undefined));
    expect(done).toEqual([1, 2, 3, 4, 5]);
    expect(measurements).toMatchObject({ backend: 'cpu', answers: 5, tokens: 50 });
  });

  test('an answer is cleaned of the header and begins after it where `start` says so', async () => {
    const [first] = (await generate({ prompts: records.slice(0, 1) })).responses;
    expect(first).toMatchObject({ prompt: 'w5', response: 'w45  w24  w31  w45 w39' }); // without w17
    // Text after a given header is not changed, even if it looks like the header.
    const given = { start: 'header', max_new_tokens: 9 } as const;
    const [second] = (await generate({ prompts: records.slice(0, 1), config: given })).responses;
    expect(second).toMatchObject({
      prompt: 'w5 w17 ',
      response: words(expected.untied.greedy[0]?.slice(1) ?? []),
    });
  });

  test('the output has the same bytes each time, and the same lines for records in another order', async () => {
    const config = { temperature: 1.2, top_k: 30, seed: 3 };
    const { text } = await generate({ config });
    expect((await generate({ config })).text).toBe(text);
    const reversed = await generate({ config, prompts: [...records].reverse() });
    expect(reversed.text.trimEnd().split('\n').reverse()).toEqual(text.trimEnd().split('\n'));
  });
});

test('an interrupted run continues where it stopped, and its output has the bytes of an uninterrupted one', async () => {
  const statePath = await mkdtemp(join(root, 'state-'));
  await expect(generate({ statePath, abortAfter: 2 })).rejects.toThrow('aborted');
  const resumed = await generate({ statePath });
  const done = resumed.reports.map((report) => (report.type === 'progress' ? report.done : undefined));
  expect(done).toEqual([3, 4, 5]);
  expect(resumed.measurements).toMatchObject({ answers: 3, answers_from_before: 2 });
  expect(resumed.text).toBe((await generate({})).text);
});

test('in score mode a record gets the log likelihood of its response and of the end of text after it', async () => {
  const ids = expected.ids[0] ?? [];
  const segments = [
    { role: 'prompt', text: words(ids.slice(0, 4)) },
    { role: 'response', text: ` ${words(ids.slice(4))}` },
  ];
  const { responses } = await generate({
    config: { mode: 'score' },
    prompts: [{ id: 'a', segments, fields: {} }],
  });
  const afterLast = expected.untied.logits[0]?.[8] ?? [];
  const logOfSum = Math.log(afterLast.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const logProbabilities = expected.untied.target_log_probabilities[0]?.slice(3) ?? [];
  const endOfText = (afterLast[60] ?? 0) - logOfSum;
  expect(responses).toEqual([
    {
      id: 'a',
      prompt: words(ids.slice(0, 4)),
      expected: ` ${words(ids.slice(4))}`,
      fields: {},
      log_likelihood: expect.closeTo(
        logProbabilities.reduce((sum, value) => sum + value, endOfText),
        4,
      ),
      scored_tokens: 6,
    },
  ]);
});

test('in choices mode a record gets the log likelihood of each candidate after its prompt and header', async () => {
  const ids = expected.ids[0] ?? [];
  const logProbabilities = expected.untied.target_log_probabilities[0] ?? [];
  const right = words(ids.slice(4, 6));
  const segments = [
    { role: 'prompt', text: words(ids.slice(0, 4)) },
    { role: 'header', text: ' ' },
    { role: 'response', text: right },
  ];
  const { responses, measurements } = await generate({
    config: { mode: 'choices' },
    prompts: [{ id: 'a', segments, fields: {}, choices: [right, words(ids.slice(4, 5))] }],
  });
  const scored = (text: string, value: number, tokens: number) => ({
    text,
    log_likelihood: expect.closeTo(value, 4),
    per_character: expect.closeTo(value / text.length, 5),
    per_byte: expect.closeTo(value / text.length, 5),
    tokens,
    is_greedy: expect.any(Boolean),
  });
  const [first = 0, second = 0] = logProbabilities.slice(3);
  expect(responses).toEqual([
    {
      id: 'a',
      prompt: words(ids.slice(0, 4)),
      expected: right,
      fields: {},
      choices: [scored(right, first + second, 2), scored(words(ids.slice(4, 5)), first, 1)],
    },
  ]);
  expect(measurements).toMatchObject({ answers: 1 });
});

test('in rolling mode a record gets the log likelihood of its whole text, window by window', async () => {
  const ids = (expected.ids[0] ?? []).slice(0, 7);
  const segments = [{ role: 'response', text: words(ids) }];
  const prompts = [{ id: 'a', segments, fields: {} }];
  const { responses } = await generate({ config: { mode: 'rolling', window: 5 }, prompts });
  // The same windows, each scored as a separate text: w60 ends a text.
  const given = (prompt: readonly number[], response: readonly number[]) => ({
    id: response.join(),
    segments: [
      { role: 'prompt', text: `${words(prompt)} ` },
      { role: 'header', text: ' ' },
      { role: 'response', text: words(response) },
    ],
    fields: {},
    choices: [words(response)],
  });
  const windows = [given([60], ids.slice(0, 5)), given(ids.slice(1, 5), ids.slice(5))];
  const apart = await generate({ config: { mode: 'choices' }, prompts: windows });
  const sum = apart.responses.reduce((total: number, one) => {
    const { choices } = one as unknown as { choices: readonly { log_likelihood: number }[] }; // as in the test above
    return total + (choices[0]?.log_likelihood ?? 0);
  }, 0);
  expect(responses).toEqual([
    {
      id: 'a',
      prompt: '',
      expected: words(ids),
      fields: {},
      log_likelihood: expect.closeTo(sum, 4),
      scored_tokens: 7,
      words: 7,
      bytes: words(ids).length,
    },
  ]);
});

describe('what the user can fix is told', () => {
  const cases: readonly (readonly [string, Given, string])[] = [
    [
      'records that were not formatted',
      { prompts: [{ id: 'raw', text: 'w1' }] },
      '1 of 1 records cannot be used as prompts',
    ],
    [
      'two records of one id',
      { prompts: [...records, ...records.slice(0, 1)] },
      '1 of 6 records cannot be used as prompts',
    ],
    [
      'a prompt without room for its answer',
      { config: { max_new_tokens: 20 } },
      "2 of 5 prompts leave no room for 20 new tokens in the model's context of 24",
    ],
    [
      'records without choices in choices mode',
      { config: { mode: 'choices' } },
      '5 of 5 records cannot be answered by a choice',
    ],
  ];
  test.each(cases)('%s', async (_title, given, message) => {
    await expect(generate(given)).rejects.toMatchObject({ name: 'UserError', message });
  });

  test('a tokenizer with more tokens than the model', async () => {
    const model = await mkdtemp(join(root, 'model-'));
    await cp(tinyModel, model, { recursive: true });
    await rm(join(model, 'tokenizer.json'));
    await writeFile(join(model, 'encoding.json'), '{"encoding":"r50k_base"}');
    await expect(generate({ model })).rejects.toMatchObject({
      name: 'UserError',
      message: `the tokenizer in ${model} has 50257 tokens, its model 61`,
    });
  });

  test.each([
    [
      { provider: 'openai', model: 'm' },
      'the model `m` is behind an endpoint, which cannot score given responses',
    ],
    [{ provider: 'other' }, 'does not name a model of a known provider: it contains {"provider":"other"}'],
  ])('the endpoint %o in score mode', async (endpoint, message) => {
    const model = await mkdtemp(join(root, 'model-'));
    await writeFile(join(model, 'endpoint.json'), JSON.stringify(endpoint));
    await expect(generate({ model, config: { mode: 'score' } })).rejects.toThrow(message);
  });
});

test('further samples have their own draws, and the first equals the answer without samples', async () => {
  const [one, three] = [
    await generate({ config: { temperature: 1 } }),
    await generate({ config: { temperature: 1, samples: 3 } }),
  ];
  const answered = three.responses.map((row) => parseResponse(row, 'responses'));
  const byRecord = records.map(({ id }) => [id, `${id}#2`, `${id}#3`]);
  expect(answered.map(({ id }) => id)).toEqual(byRecord.flat());
  expect(three.responses.filter((_, index) => index % 3 === 0)).toEqual(one.responses);
  for (const ids of byRecord) {
    const answers = answered.filter(({ id }) => ids.includes(id)).map(({ response }) => response);
    expect(new Set(answers).size).toBe(3);
  }
});

test('samples that could only be equal are refused', () => {
  expect(checkSamples({ ...defaults, samples: 2 })).toMatchObject([
    { pointer: '/samples', code: 'equal-samples' },
  ]);
  expect(checkSamples({ ...defaults, samples: 2, temperature: 1 })).toEqual([]);
});
