import { isObject, UserError } from '../core/index.ts';
import { leftOutField, type ScoredResponse, type SetScores } from '../metrics/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import type { Benchmark, BenchmarkRow, BenchmarkSource } from './benchmark.ts';
import type { BenchmarkFile } from './benchmark-file.ts';
import { type BenchmarkScores, leftOutFor, meanScore, scoresOf } from './benchmark-scores.ts';
import { fieldOf, itemsOf, numberOf, optionalField, readJson, textOf } from './located.ts';

/** AlpacaEval (Dubois et al. 2023), versions 1 and 2. */
export const alpacaEval: Benchmark = {
  name: 'alpaca_eval',
  layout: { records: 'outputs, a JSON list', fields: '`instruction`, `output`, `generator`' },
  read: readOutputs,
  metrics: {
    alpaca_eval: {
      better: 'higher',
      reads: 'verdict',
      measures:
        "The weighted and the discrete win rate of the first model of `pair` in percent, from a judge's choice between `m`, the answer shown first, and `M`.",
      source: 'AlpacaEval 2, without length control',
      scoreAll: scoreVerdicts,
    },
  },
  scorers: {
    'alpaca-eval': {
      summary: "win rate from a judge's preferences",
      data: { file: "the judge's annotations (JSON)", example: 'annotations.json' },
      score: async ({ data }) => scorePreferences(await readPreferences(data)),
    },
  },
};

/** A row for each instruction, with the output of the model that wrote the file. */
async function* readOutputs({ path }: BenchmarkSource): AsyncGenerator<BenchmarkRow> {
  for (const [index, item] of itemsOf(await readJson({ path, name: path })).entries()) {
    const instruction = textOf(fieldOf(item, 'instruction'));
    const fields = isObject(item.value) ? item.value : {};
    yield { id: `alpaca_eval/${index}`, row: { ...fields, instruction } };
  }
}

/** The preferences of an annotations file, in its order; undefined if the judge gave none. */
async function readPreferences(file: BenchmarkFile): Promise<readonly (number | undefined)[]> {
  return itemsOf(await readJson(file)).map((annotation) => {
    const preference = optionalField(annotation, 'preference');
    return preference === undefined ? undefined : numberOf(preference);
  });
}

const caveat = 'a judge can be gamed: a NullModel with one constant output scored 76.9';

/**
 * Percentages. A preference is in [1, 2]: 1 for the baseline, 2 for the model, 1.5 or 0 for a tie, and in between the
 * judge's probability (version 2). The win rate is the mean of preference - 1; the discrete one rounds it first.
 */
function scorePreferences(preferences: readonly (number | undefined)[]): BenchmarkScores {
  const given = preferences.map((preference) => (preference === 0 ? 1.5 : preference));
  const used = given.filter(isPreference).map((preference) => preference - 1);
  const wins = (matches: (value: number) => boolean): number => used.filter(matches).length;
  const count = used.length;
  return {
    metrics: [
      meanScore({ metric: 'win_rate', values: used, scale: 100 }),
      meanScore({ metric: 'discrete_win_rate', values: used.map(decided), scale: 100 }),
      { metric: 'n_wins', value: wins((value) => value > 0.5), count },
      { metric: 'n_wins_base', value: wins((value) => value < 0.5), count },
      { metric: 'n_draws', value: wins((value) => value === 0.5), count },
    ],
    remarks: [{ text: caveat }],
    leftOut: leftOutFor(
      'annotations without a preference from 1 to 2',
      given.flatMap((preference, index) => (isPreference(preference) ? [] : [`[${index}]`])),
    ),
  };
}

const isPreference = (value: number | undefined): value is number =>
  value !== undefined && value >= 1 && value <= 2;

const decided = (value: number): number => (value === 0.5 ? 0.5 : Math.round(value));

const reason = 'the judge answered neither m nor M';

function scoreVerdicts(responses: readonly ScoredResponse[]): SetScores {
  const preferences = responses.map(({ response }) => ({ id: response.id, value: preferenceOf(response) }));
  const used = preferences.flatMap(({ value }) => value ?? []);
  if (used.length === 0)
    throw new UserError({
      code: 'nothing-to-score',
      message: `the metric \`alpaca_eval\` can use none of the responses: ${reason}`,
      help: 'let the judge choose between m and M with `mode: choices`, or ask it for the letter alone',
    });
  const ids = preferences.flatMap(({ id, value }) => (value === undefined ? [id] : []));
  const [winRate, ...others] = scoresOf(scorePreferences(used.map((value) => 1 + value)));
  return {
    metrics: winRate ? [{ ...winRate, ...leftOutField(reason, ids) }, ...others] : [],
    values: new Map(preferences.map(({ id, value }) => [id, value ?? null])),
  };
}

/**
 * How far the judge prefers the first model, from 0 to 1: p(m) / (p(m) + p(M)) if it chose between the two (the weighted
 * win rate of version 2), else by the letter that it wrote.
 */
function preferenceOf({ id, response, choices, fields }: ResponseRecord): number | undefined {
  const { shown_first: shownFirst } = fields;
  if (shownFirst !== 'first' && shownFirst !== 'second')
    throw new UserError({
      code: 'no-pair',
      message: `the response ${id} is no verdict on a pair: its row lacks \`shown_first\``,
      help: 'let the stage `pair` lay a model’s answers beside the baseline’s, and give its records to the judge',
    });
  const front = choices === undefined ? writtenPreference(response ?? '') : chosenPreference(choices);
  return front === undefined || shownFirst === 'first' ? front : 1 - front;
}

function writtenPreference(answer: string): number | undefined {
  const letter = answer.replace(/[^A-Za-z]/g, '');
  return letter === 'm' ? 1 : letter === 'M' ? 0 : undefined;
}

function chosenPreference(choices: NonNullable<ResponseRecord['choices']>): number | undefined {
  const [m, M] = ['m', 'M'].map((name) => choices.find(({ text }) => text.trim() === name)?.log_likelihood);
  return m === undefined || M === undefined ? undefined : 1 / (1 + Math.exp(M - m));
}
