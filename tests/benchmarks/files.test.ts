import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { json, jsonLines, score, valuesOf } from './score-rig.ts';

const questions = (...qas: unknown[]) => json('dev.json', { data: [{ paragraphs: [{ qas }] }] });
const text = (name: string, content: string | Uint8Array) => ({ name, content });

describe('a file of SQuAD', () => {
  const fine = json('p.json', {});
  test.each([
    ['is not JSON', text('dev.json', '{"data":\n [}'), fine, 'dev.json:2:3: not JSON'],
    [
      'is not UTF-8',
      text('dev.json', new Uint8Array([0xff, 0xfe, 0x00])),
      fine,
      'dev.json is not UTF-8 text',
    ],
    [
      'is damaged gzip',
      text('dev.json', new Uint8Array([0x1f, 0x8b, 1, 2])),
      fine,
      'dev.json cannot be unpacked',
    ],
    [
      'lacks a field',
      questions({ id: 'q' }),
      fine,
      'dev.json: data[0].paragraphs[0].qas[0] has no field `answers`; it has id',
    ],
    [
      'has a value of another type',
      questions({ id: 'q', answers: [{ text: 1 }] }),
      fine,
      'dev.json: data[0].paragraphs[0].qas[0].answers[0].text must be a text, but is 1',
    ],
    ['has no questions', questions(), fine, 'the data has no items for the metric `exact`'],
    [
      'has an answer that is no text',
      questions({ id: 'q', answers: [] }),
      json('p.json', { q: ['Paris'] }),
      'p.json: q must be a text, but is ["Paris"]',
    ],
  ])('that %s is refused with its place', async (_, data, predictions, message) => {
    await expect(score('squad', { data, predictions })).rejects.toThrow(message);
  });

  test('answers of one normal form match, and the best gold answer counts', async () => {
    const data = questions({ id: 'q', answers: [{ text: 'Rome' }, { text: 'The Paris of 1900!' }] });
    const scores = await score('squad', { data, predictions: json('p.json', { q: 'paris 1900' }) });
    // Two shared words of two answered and three expected.
    expect(valuesOf(scores)).toEqual({ exact: 0, f1: 80 });
  });

  test('a prediction named like a part of every object is just a prediction', async () => {
    const data = questions({ id: 'constructor', answers: [{ text: 'x' }] });
    const scores = await score('squad', { data, predictions: text('p.json', '{"__proto__": "x"}') });
    expect(valuesOf(scores)).toEqual({ exact: 0, f1: 0 });
    expect([...scores.remarks, ...(scores.leftOut ?? [])].map(({ ids }) => ids)).toEqual([
      ['constructor'],
      ['__proto__'],
    ]);
  });
});

describe('a file of TriviaQA', () => {
  const answer = { NormalizedAliases: ['sunset blvd'], HumanAnswers: ['The Sunset_Boulevard'] };
  const page = (Filename: string, DocPartOfVerifiedEval: boolean) => ({ Filename, DocPartOfVerifiedEval });
  const file = (fields: Record<string, unknown>) =>
    json('web.json', {
      Domain: 'Web',
      VerifiedEval: true,
      Data: [
        {
          QuestionId: 'a',
          QuestionPartOfVerifiedEval: true,
          Answer: answer,
          EntityPages: [page('1.txt', true), page('2.txt', false)],
          SearchResults: [page('3.txt', true)],
        },
        {
          QuestionId: 'b',
          QuestionPartOfVerifiedEval: false,
          Answer: answer,
          EntityPages: [page('4.txt', true)],
        },
      ],
      ...fields,
    });
  const predictions = json('p.json', {
    'a--1.txt': 'a ‘sunset’ boulevard',
    'a--2.txt': 'x',
    'b--4.txt': 'x',
  });

  test('only verified questions and documents count in a verified evaluation; human answers are right too', async () => {
    expect(await score('triviaqa', { data: file({}), predictions })).toEqual({
      metrics: [
        { metric: 'exact_match', value: 50, count: 2, standard_error: 50 },
        { metric: 'f1', value: 50, count: 2, standard_error: 50 },
      ],
      remarks: [{ text: 'keys without a prediction, counted 0', ids: ['a--3.txt'] }],
      leftOut: [{ reason: 'predictions for no key of the data', ids: ['a--2.txt', 'b--4.txt'] }],
    });
  });

  test('another domain is refused', async () => {
    await expect(score('triviaqa', { data: file({ Domain: 'Books' }), predictions })).rejects.toThrow(
      'web.json: Domain must be Wikipedia or Web, but is "Books"',
    );
  });
});

describe('results of HumanEval', () => {
  const problems = jsonLines('problems.jsonl', [{ task_id: 'a' }, { task_id: 'b' }]);
  const results = (...lines: readonly (readonly [string, boolean])[]) =>
    jsonLines(
      'results.jsonl',
      lines.map(([task_id, passed]) => ({ task_id, passed })),
    );

  test('a problem without a sample is refused', async () => {
    await expect(score('humaneval', { data: problems, predictions: results(['a', true]) })).rejects.toThrow(
      'results.jsonl: 1 of 2 problems have no sample: b',
    );
  });

  test('a sample of an unknown problem is refused with its line', async () => {
    const predictions = results(['a', true], ['c', true]);
    await expect(score('humaneval', { data: problems, predictions })).rejects.toThrow(
      'results.jsonl:2: problems.jsonl has no problem `c`',
    );
  });

  test('pass@10 is left out where a problem has fewer samples, and gzipped files are unpacked', async () => {
    const { name, content } = results(...Array.from({ length: 12 }, () => ['a', true] as const), [
      'b',
      false,
    ]);
    const scores = await score('humaneval', {
      data: problems,
      predictions: text(`${name}.gz`, gzipSync(content)),
    });
    expect(scores).toEqual({
      metrics: [{ metric: 'pass@1', value: 0.5, count: 2, standard_error: 0.5 }],
      remarks: [],
    });
  });
});

describe('battles of an arena', () => {
  const battle = (model_a: string, model_b: string, winner: string) => ({ model_a, model_b, winner });

  test.each([
    [
      'an unknown winner',
      [battle('a', 'b', 'model_c')],
      'battles.jsonl:1: winner must be model_a, model_b, tie or tie (bothbad), but is "model_c"',
    ],
    ['a battle with itself', [battle('a', 'a', 'tie')], 'battles.jsonl:1: model_a and model_b are both "a"'],
    ['no battle', [], 'there are no battles'],
  ])('%s is refused', async (_, battles, message) => {
    await expect(score('arena', { data: jsonLines('battles.jsonl', battles) })).rejects.toThrow(message);
  });

  test('if the best model never lost there is no Bradley-Terry rating, and Elo still works', async () => {
    const scores = await score('arena', { data: json('b.json', [battle('a', 'b', 'model_a')]), rounds: 2 });
    const interval = (value: number) => ({ low: value, high: value, rounds: 2, seed: 0 });
    // Equal ratings: the winner takes half of K = 4.
    expect(scores).toEqual({
      metrics: [
        { metric: 'elo', of: 'a', value: 1002, count: 1, interval: interval(1002) },
        { metric: 'elo', of: 'b', value: 998, count: 1, interval: interval(998) },
      ],
      remarks: [
        {
          text: 'no finite Bradley-Terry ratings: some models only won or only lost against all the others',
        },
      ],
    });
  });

  test('three wins and one loss are odds of 3, which is 400 log10 3 points apart', async () => {
    const battles = [
      'model_a',
      'model_a',
      'model_b',
      'tie',
      'tie (bothbad)',
      'model_a',
      'model_a',
      'model_a',
    ].map((winner) => battle('a', 'b', winner));
    const values = valuesOf(await score('arena', { data: json('b.json', battles) }));
    // Six of eight points with ties as halves.
    expect((values['bradley_terry a'] ?? 0) - (values['bradley_terry b'] ?? 0)).toBeCloseTo(
      400 * Math.log10(3),
      6,
    );
    expect((values['bradley_terry a'] ?? 0) + (values['bradley_terry b'] ?? 0)).toBeCloseTo(2000, 6);
  });
});

describe('OpenAI Evals', () => {
  const completions = (...texts: string[]) =>
    jsonLines(
      'completions.jsonl',
      texts.map((completion, index) => ({ index, completion })),
    );
  const samples = (...ideals: unknown[]) =>
    jsonLines(
      'samples.jsonl',
      ideals.map((ideal) => ({ input: 'Q', ideal })),
    );
  const accuracyOf = async (template: string, ideals: unknown[], texts: string[]) =>
    valuesOf(
      await score(`openai-evals/${template}`, {
        data: samples(...ideals),
        predictions: completions(...texts),
      }),
    );

  test('match needs one of the ideal answers at the beginning', async () => {
    expect(
      await accuracyOf('match', ['Paris', ['Rom', 'Rome'], 'Oslo'], ['Paris.', 'Rome', 'In Oslo']),
    ).toEqual({
      accuracy: 2 / 3,
    });
  });

  test('json compares component by component; null and broken JSON are never right', async () => {
    const ideals = ['{"a":[1,{"b":2}]}', '{"a":1}', 'null', '[1,2]', '{"a":1}', '1'];
    const texts = ['{"a":[1.0,{"b":2}]}', '{"a":1,"b":2}', 'null', '[1]', 'not JSON', 'true'];
    // The first, and the last as Python has it: true is 1.
    expect(await accuracyOf('json', ideals, texts)).toEqual({ accuracy: 2 / 6 });
  });

  test('for the json template, an ideal answer that is not JSON is refused with its line', async () => {
    await expect(accuracyOf('json', ['1', 'x'], ['1', '1'])).rejects.toThrow(
      'samples.jsonl:2: ideal must be a text that is JSON, but is "x"',
    );
  });

  test('an index that comes twice is refused with its line', async () => {
    const predictions = jsonLines(
      'completions.jsonl',
      [0, 0].map((index) => ({ index, completion: 'a' })),
    );
    await expect(score('openai-evals/match', { data: samples('a'), predictions })).rejects.toThrow(
      'completions.jsonl:2: index must be an index that no earlier line has, but is 0',
    );
  });

  test('a sample without a completion is refused with its line', async () => {
    await expect(accuracyOf('match', ['a', 'b'], ['a'])).rejects.toThrow(
      'completions.jsonl: sample 1 (samples.jsonl:2) has no completion',
    );
  });
});
