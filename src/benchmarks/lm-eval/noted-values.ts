import { isList, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';
import { bleuCounts, chrfCounts } from '../../metrics/index.ts';
import { PythonRegex, type ResponseRecord, spaceRun } from '../../text/index.ts';
import { noChoice } from './gold.ts';
import type { MetricName } from './metric-list.ts';
import { timely } from './regex-filters.ts';
import type { Scoring } from './row.ts';

/** What a metric notes of a question. */
export type NotedValue =
  | { readonly kind: 'number'; readonly value: number }
  /** A log-likelihood over a number of units. */
  | { readonly kind: 'weighted'; readonly value: number; readonly weight: number }
  | { readonly kind: 'labels'; readonly gold: number; readonly predicted: number }
  | { readonly kind: 'probabilities'; readonly gold: number; readonly probabilities: readonly number[] }
  /** What `bleu` or `chrf` counts in an answer. */
  | { readonly kind: 'counts'; readonly counts: readonly number[] };

interface Answered {
  /** The question's row. */
  readonly fields: JsonObject;
  /** The first answer to it. */
  readonly response: ResponseRecord;
  /** What the filters left of the answers, with `generate_until`. */
  readonly answer: Json;
}

/** What the task's metrics note of a question, as lm-evaluation-harness's `process_results` does. */
export function notedValues(answered: Answered, scoring: Scoring): ReadonlyMap<MetricName, NotedValue> {
  const { output_type: type, metrics } = scoring;
  const note = {
    multiple_choice: () => choiceValues(answered),
    loglikelihood: () => likelihoodValues(answered),
    loglikelihood_rolling: () => rollingValues(answered),
    generate_until: () => textValues(answered, scoring),
  }[type]();
  return new Map(metrics.map(({ metric }) => [metric, note(metric)]));
}

type Note = (metric: MetricName) => NotedValue;

const flag = (isTrue: boolean): NotedValue => ({ kind: 'number', value: isTrue ? 1 : 0 });

function choiceValues({ fields, response }: Answered): Note {
  const choices = response.choices ?? [];
  if (choices.length === 0) throw wrongMode('no log-likelihoods of choices');
  const likelihoods = choices.map((choice) => choice.log_likelihood);
  const gold = isList(fields.gold) ? fields.gold.map(Number) : [];
  const isRight = (values: readonly number[]): boolean => gold.includes(largest(values));
  const [only = noChoice] = gold;
  return (metric) => {
    switch (metric) {
      case 'acc':
        return flag(isRight(likelihoods));
      case 'acc_norm':
        return flag(isRight(choices.map((choice) => choice.per_character)));
      case 'acc_bytes':
        return flag(isRight(choices.map((choice) => choice.per_byte)));
      case 'exact_match':
        return flag(gold.some((index) => choices[index]?.is_greedy === true));
      case 'f1':
      case 'mcc':
        return { kind: 'labels', gold: only, predicted: largest(likelihoods) };
      case 'brier_score':
        return { kind: 'probabilities', gold: only, probabilities: softmax(likelihoods) };
      default:
        throw unknownMetric(metric);
    }
  };
}

function likelihoodValues({ response }: Answered): Note {
  const [choice] = response.choices ?? [];
  if (choice === undefined) throw wrongMode('no log-likelihood of its target');
  return (metric) => {
    if (metric === 'perplexity') return { kind: 'number', value: choice.log_likelihood };
    if (metric === 'acc') return flag(choice.is_greedy);
    throw unknownMetric(metric);
  };
}

function rollingValues({ fields, response }: Answered): Note {
  const { log_likelihood: value, words } = response;
  const { target } = fields;
  if (value === undefined || words === undefined || typeof target !== 'string')
    throw wrongMode('no log-likelihood of its whole text');
  return (metric) => {
    const weight = metric === 'word_perplexity' ? target.split(spaceRun).length : Buffer.byteLength(target);
    return { kind: 'weighted', value, weight };
  };
}

function textValues({ fields, answer }: Answered, { metrics, several }: Scoring): Note {
  const golds = (isList(fields.target) ? fields.target : [fields.target ?? null]).map((gold) => {
    if (typeof gold === 'string') return gold;
    throw wrongMode('no text as its target');
  });
  return (metric) => {
    switch (metric) {
      case 'exact_match': {
        const options = metrics.find((one) => one.metric === metric)?.options ?? {};
        const matches = golds.map((gold) => isMatch(answer, gold, options));
        return flag(matches.some(Boolean));
      }
      case 'f1':
        if (typeof answer === 'number' && !several)
          return { kind: 'labels', gold: wholeNumber(golds[0] ?? ''), predicted: answer };
        throw badAnswer(answer, '`f1` needs a number, as the filter `map` makes it');
      case 'bleu':
      case 'chrf':
      case 'chrf++':
        if (typeof answer !== 'string') throw badAnswer(answer, `\`${metric}\` needs a text`);
        if (!several) return { kind: 'counts', counts: overlapCounts(metric, answer, golds) };
        throw new UserError({
          code: 'several-targets',
          message: `\`${metric}\` is not defined for a list of targets, as in lm-evaluation-harness`,
          help: 'let `doc_to_target` give one text',
        });
      default:
        throw unknownMetric(metric);
    }
  };
}

function overlapCounts(
  metric: 'bleu' | 'chrf' | 'chrf++',
  answer: string,
  golds: readonly string[],
): readonly number[] {
  if (metric === 'bleu') return bleuCounts(answer, golds, { tokenize: '13a', lowercase: false });
  return chrfCounts(answer, golds, metric === 'chrf' ? 0 : 2);
}

/** exact_match of the Python package evaluate: each option changes both sides. */
function isMatch(answer: Json, gold: string, options: JsonObject): boolean {
  if (typeof answer === 'number') return answer === wholeNumber(gold);
  if (typeof answer === 'string') return comparable(answer, options) === comparable(gold, options);
  throw badAnswer(answer, '`exact_match` needs a text; give the filter `map` a `default_value`');
}

function comparable(text: string, options: JsonObject): string {
  const patterns = isList(options.regexes_to_ignore) ? options.regexes_to_ignore : [];
  const kept = patterns.reduce<string>(
    (left, pattern) => timely(() => regexFor(String(pattern)).replace(left, '')),
    text,
  );
  const cased = options.ignore_case === true ? kept.toLowerCase() : kept;
  const bare = options.ignore_punctuation === true ? cased.replace(/[!-/:-@[-`{-~]/g, '') : cased;
  return options.ignore_numbers === true ? bare.replace(/[0-9]/g, '') : bare;
}

const regexes = new Map<string, PythonRegex>();

function regexFor(pattern: string): PythonRegex {
  const regex = regexes.get(pattern) ?? new PythonRegex(pattern);
  regexes.set(pattern, regex);
  return regex;
}

function wholeNumber(text: string): number {
  if (/^\s*[+-]?\d+\s*$/.test(text)) return Number(text);
  throw new UserError({
    code: 'bad-target',
    message: `its target ${JSON.stringify(text)} is compared with a number, and is none`,
  });
}

/** The index of the largest value, the first among equals. */
const largest = (values: readonly number[]): number =>
  values.reduce(
    (best, value, index) => (value > (values[best] ?? Number.NEGATIVE_INFINITY) ? index : best),
    0,
  );

function softmax(values: readonly number[]): readonly number[] {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

const wrongMode = (lack: string): UserError =>
  new UserError({
    code: 'wrong-mode',
    message: `it has ${lack}`,
    help: 'set `mode: task` in the generate stage, which answers each question as its task says',
  });

const badAnswer = (answer: Json, reason: string): UserError =>
  new UserError({ code: 'bad-answer', message: `its answer is ${jsonText(answer)}: ${reason}` });

const unknownMetric = (metric: string): Error => new Error(`no rule says what ${metric} notes`);
