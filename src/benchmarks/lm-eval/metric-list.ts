import type { JsonObject } from '../../core/index.ts';
import { PythonRegex } from '../../text/index.ts';
import { FieldChecker } from './field-checker.ts';
import type { YamlValue } from './yaml-value.ts';

export const outputTypes = [
  'generate_until',
  'multiple_choice',
  'loglikelihood',
  'loglikelihood_rolling',
] as const;
export type OutputType = (typeof outputTypes)[number];

export const aggregations = {
  mean: 'number',
  nanmean: 'number',
  median: 'number',
  perplexity: 'number',
  weighted_perplexity: 'weighted',
  bits_per_byte: 'weighted',
  f1: 'labels',
  matthews_corrcoef: 'labels',
  brier_score: 'probabilities',
  bleu: 'counts',
  chrf: 'counts',
  'chrf++': 'counts',
} as const;
export type Aggregation = keyof typeof aggregations;

/** What a metric notes of a question, for an aggregation over all of them. */
type Noted = (typeof aggregations)[Aggregation];

/** A metric of a task: what it notes of each question, and how that becomes a figure. */
export interface TaskMetric {
  readonly metric: MetricName;
  readonly aggregation: Aggregation;
  readonly higher_is_better: boolean;
  /** Those of `exact_match`. */
  readonly options: JsonObject;
}

interface KnownMetric {
  readonly notes: Noted;
  readonly aggregation: Aggregation;
  readonly lowerIsBetter?: true;
}

const mean = { notes: 'number', aggregation: 'mean' } as const;
const perplexity = { notes: 'weighted', aggregation: 'weighted_perplexity', lowerIsBetter: true } as const;
const f1 = { notes: 'labels', aggregation: 'f1' } as const;

/** The metrics that lm-evaluation-harness computes of each kind of output, without those that need Python's evaluate. */
const known = {
  multiple_choice: {
    acc: mean,
    acc_norm: mean,
    acc_bytes: mean,
    exact_match: mean,
    f1,
    mcc: { notes: 'labels', aggregation: 'matthews_corrcoef' },
    brier_score: { notes: 'probabilities', aggregation: 'brier_score', lowerIsBetter: true },
  },
  loglikelihood: {
    perplexity: { notes: 'number', aggregation: 'perplexity', lowerIsBetter: true },
    acc: mean,
  },
  loglikelihood_rolling: {
    word_perplexity: perplexity,
    byte_perplexity: perplexity,
    bits_per_byte: { notes: 'weighted', aggregation: 'bits_per_byte', lowerIsBetter: true },
  },
  generate_until: {
    exact_match: mean,
    f1,
    bleu: { notes: 'counts', aggregation: 'bleu' },
    chrf: { notes: 'counts', aggregation: 'chrf' },
    'chrf++': { notes: 'counts', aggregation: 'chrf++' },
  },
} as const satisfies Readonly<Record<OutputType, Readonly<Record<string, KnownMetric>>>>;

type Known = typeof known;
export type MetricName = { [Type in OutputType]: keyof Known[Type] }[OutputType];

const defaults: Readonly<Record<OutputType, readonly MetricName[]>> = {
  multiple_choice: ['acc', 'acc_norm'],
  loglikelihood: ['perplexity', 'acc'],
  loglikelihood_rolling: ['word_perplexity', 'byte_perplexity', 'bits_per_byte'],
  generate_until: ['exact_match'],
};

interface MetricContext {
  readonly outputType: OutputType;
  readonly problems: string[];
  readonly notes: string[];
}

/** The task's `metric_list`, or the metrics of its kind of output. */
export function taskMetrics(
  list: readonly YamlValue[] | undefined,
  context: MetricContext,
): readonly TaskMetric[] {
  const { outputType } = context;
  if (list === undefined)
    return defaults[outputType].flatMap((metric) => {
      const { aggregation, lowerIsBetter }: KnownMetric = knownMetric(outputType, metric) ?? mean;
      return { metric, aggregation, higher_is_better: lowerIsBetter !== true, options: {} };
    });
  return list.flatMap((item) => taskMetric(item, context));
}

const knownMetric = (type: OutputType, name: string): KnownMetric | undefined => {
  const metrics: Readonly<Record<string, KnownMetric>> = known[type];
  return Object.hasOwn(metrics, name) ? metrics[name] : undefined;
};

function taskMetric(
  { fields, place }: YamlValue,
  { outputType, problems, notes }: MetricContext,
): readonly TaskMetric[] {
  const checker = new FieldChecker(fields, problems);
  const metric = checker.text('metric');
  const needsEvaluate = checker.flag('hf_evaluate') === true;
  const found = metric === undefined ? undefined : knownMetric(outputType, metric);
  if (metric === undefined && !fields.has('metric'))
    problems.push(`${place}: an item of \`metric_list\` needs a \`metric\``);
  if (metric === undefined) return [];
  if (found === undefined || needsEvaluate) {
    const names = Object.keys(known[outputType]).join(', ');
    const reason = needsEvaluate
      ? 'needs the Python package evaluate'
      : `is not supported: there are ${names}`;
    checker.problem('metric', `the metric \`${metric}\` with \`output_type: ${outputType}\` ${reason}`);
    return [];
  }
  const fitting = Object.keys(aggregations).filter((name) =>
    found.notes === 'counts' ? name === metric : aggregations[name as Aggregation] === found.notes,
  ) as Aggregation[]; // keys of the same table
  const aggregation = checker.oneOf('aggregation', fitting) ?? found.aggregation;
  const higher = checker.flag('higher_is_better') ?? found.lowerIsBetter !== true;
  const options = metric === 'exact_match' && outputType === 'generate_until' ? matchOptions(checker) : {};
  for (const option of checker.left()) {
    if (metric === 'exact_match') checker.problem(option, `\`${metric}\` has no option \`${option}\``);
    else notes.push(`\`${option}\` of the metric \`${metric}\` changes nothing, as in lm-evaluation-harness`);
    checker.ignore(option);
  }
  // The table has the name.
  return [{ metric: metric as MetricName, aggregation, higher_is_better: higher, options }];
}

const matchFlags = ['ignore_case', 'ignore_punctuation', 'ignore_numbers'] as const;

function matchOptions(checker: FieldChecker): JsonObject {
  const flags = matchFlags.flatMap((name) => (checker.flag(name) === true ? [[name, true] as const] : []));
  const patterns = (checker.list('regexes_to_ignore') ?? []).map(({ json }) => json);
  for (const pattern of patterns)
    try {
      new PythonRegex(String(pattern));
    } catch (error) {
      checker.problem('regexes_to_ignore', error instanceof Error ? error.message : String(error));
    }
  return { ...Object.fromEntries(flags), ...(patterns.length === 0 ? {} : { regexes_to_ignore: patterns }) };
}
