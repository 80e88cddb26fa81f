import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { Json } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import type { Score, Scores } from '../ports/scores.ts';
import type { Metric, RatedResponse, Rating } from './metrics/metric.ts';
import { type MetricName, metrics } from './metrics/metrics.ts';
import { weightedMean } from './weighted-mean.ts';

interface MetricRatings {
  readonly name: MetricName;
  readonly metric: Metric;
  /** In the order of the responses; undefined where one is left out. */
  readonly ratings: readonly (Rating | undefined)[];
}

/** Every metric of the configuration over all responses, and what each response got. */
export function scoreResponses(rated: readonly RatedResponse[], config: EvaluateConfig): Scores {
  const rows = config.metrics.map((name): MetricRatings => {
    const metric = metrics[name];
    checkMode({ name, metric, rated });
    return { name, metric, ratings: rated.map((one) => metric.rate(one, config)) };
  });
  return {
    metrics: rows.map((row) => scoreOf(row, rated)),
    records: rated.map(({ response }, index) => ({ id: response.id, values: valuesOf(rows, index) })),
  };
}

function scoreOf({ name, metric, ratings }: MetricRatings, rated: readonly RatedResponse[]): Score {
  const used = ratings.filter((rating) => rating !== undefined);
  const unused = rated.filter((_, index) => ratings[index] === undefined).map(({ response }) => response);
  const reason = metric.leftOutReason ?? 'it cannot be rated';
  if (used.length === 0) throw nothingToScore(name, unused[0]?.response, reason);
  const { mean, standardError } = weightedMean(used);
  const value = shown(metric, mean);
  return {
    metric: name,
    value,
    higher_is_better: metric.higherIsBetter,
    count: used.length,
    // The delta method: d exp(x) = exp(x) dx.
    ...(standardError === undefined
      ? {}
      : { standard_error: metric.transform === 'exp' ? value * standardError : standardError }),
    ...(unused.length === 0
      ? {}
      : { left_out: { count: unused.length, reason, ids: unused.map(({ id }) => id) } }),
  };
}

const shown = (metric: Metric, value: number): number =>
  metric.transform === 'exp' ? Math.exp(value) : value;

function valuesOf(rows: readonly MetricRatings[], index: number): Readonly<Record<string, Json>> {
  const values = rows.map(({ name, metric, ratings }): readonly [string, Json] => {
    const rating = ratings[index];
    return [name, rating === undefined ? null : shown(metric, rating.value)];
  });
  return Object.fromEntries(values);
}

/** Generate answers or rates; a metric reads what came of the one or of the other. */
function checkMode(row: Omit<MetricRatings, 'ratings'> & { readonly rated: readonly RatedResponse[] }): void {
  const { name, metric, rated } = row;
  const field = metric.reads === 'text' ? 'response' : 'log_likelihood';
  const without = rated.filter(({ response }) => response[field] === undefined);
  if (without.length === 0) return;
  const lack = metric.reads === 'text' ? 'were rated, not answered' : 'were answered, not rated';
  throw new UserError({
    code: 'wrong-mode',
    message: `the metric \`${name}\` cannot be taken: ${without.length} of ${rated.length} responses ${lack}`,
    help: `set \`mode: ${metric.reads}\` in the generate stage that they come from, or choose other metrics`,
  });
}

function nothingToScore(name: MetricName, answer: string | undefined, reason: string): UserError {
  if (answer === undefined)
    return new UserError({
      code: 'nothing-to-score',
      message: `the metric \`${name}\` has no response to score`,
      help: 'no record reached this stage: look at what the stages before it were given',
    });
  return new UserError({
    code: 'nothing-to-score',
    message: `the metric \`${name}\` can use none of the responses: ${reason}; the first answer is ${JSON.stringify(answer.slice(0, 200))}`,
    ...(metrics[name].reads === 'text'
      ? { help: 'ask for nothing but that in the prompt, and see that `max_new_tokens` leaves room for it' }
      : {}),
  });
}
