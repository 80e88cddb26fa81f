import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { Json } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import type { Score, Scores } from '../ports/scores.ts';
import { breakDown } from './break-down.ts';
import { checkReadable } from './check-readable.ts';
import type { Metric, RatedResponse } from './metrics/metric.ts';
import { type MetricName, metrics, setMetrics } from './metrics/metrics.ts';
import type { SetMetric, SetScores } from './metrics/set-metric.ts';
import { weightedMean } from './weighted-mean.ts';
import { worstOf } from './worst-of.ts';

/** Every metric of the configuration over all responses, and what each response got. */
export function scoreResponses(rated: readonly RatedResponse[], config: EvaluateConfig): Scores {
  const rows = config.metrics.map((name) => {
    const { metrics, values } = scoresOf(name, { rated, config });
    const broken = config.by.flatMap((field) =>
      breakDown({ rated, field, scoresOf: (some) => scoresOf(name, { rated: some, config }).metrics }),
    );
    const worst = isMean(name) ? worstOf({ rated, values, config, score: metrics[0] }) : [];
    return { name, metrics: [...metrics, ...worst, ...broken], values };
  });
  return {
    metrics: rows.flatMap((row) => row.metrics),
    records: rated.map(({ response: { id } }) => ({
      id,
      values: Object.fromEntries(
        rows
          .filter(({ values }) => values.size > 0)
          .map(({ name, values }) => [name, values.get(id) ?? null]),
      ),
    })),
  };
}

const isMean = (name: MetricName): boolean => Object.hasOwn(metrics, name);

interface Scoring {
  readonly rated: readonly RatedResponse[];
  readonly config: EvaluateConfig;
}

function scoresOf(name: MetricName, scoring: Scoring): SetScores {
  const metric: Metric | SetMetric = { ...metrics, ...setMetrics }[name];
  const { rated, config } = scoring;
  checkReadable({ name, reads: metric.reads, rated });
  if (rated.length === 0) throw nothingToScore(name);
  return 'score' in metric ? metric.score(rated, config) : meanOf(name, { ...scoring, metric });
}

/** A metric that is the mean of what each response gets by itself. */
function meanOf(name: MetricName, { metric, rated, config }: Scoring & { metric: Metric }): SetScores {
  const ratings = rated.map((one) => ({ id: one.response.id, rating: metric.rate(one, config) }));
  const used = ratings.flatMap(({ rating }) => rating ?? []);
  const ids = ratings.filter(({ rating }) => rating === undefined).map(({ id }) => id);
  const reason = metric.leftOutReason?.(config) ?? 'it cannot be rated';
  if (used.length === 0)
    throw noneUsable(name, { reason, metric, answer: rated[0]?.response.response ?? '' });
  const { mean, standardError } = weightedMean(used);
  const value = shown(metric, mean);
  const score: Score = {
    metric: name,
    value,
    higher_is_better: metric.higherIsBetter,
    count: used.length,
    // The delta method: d exp(x) = exp(x) dx.
    ...(standardError === undefined
      ? {}
      : { standard_error: metric.transform === 'exp' ? value * standardError : standardError }),
    ...(ids.length === 0 ? {} : { left_out: { count: ids.length, reason, ids } }),
  };
  const values = ratings.map(({ id, rating }): readonly [string, Json] => [
    id,
    rating === undefined ? null : shown(metric, rating.value),
  ]);
  return { metrics: [score], values: new Map(values) };
}

const shown = (metric: Metric, value: number): number =>
  metric.transform === 'exp' ? Math.exp(value) : value;

const nothingToScore = (name: MetricName) =>
  new UserError({
    code: 'nothing-to-score',
    message: `the metric \`${name}\` has no response to score`,
    help: 'no record reached this stage: look at what the stages before it were given',
  });

interface Unusable {
  readonly reason: string;
  readonly metric: Metric;
  readonly answer: string;
}

const noneUsable = (name: MetricName, { reason, metric, answer }: Unusable) =>
  new UserError({
    code: 'nothing-to-score',
    message: `the metric \`${name}\` can use none of the responses: ${reason}; the first answer is ${JSON.stringify(answer.slice(0, 200))}`,
    ...(metric.reads === 'text'
      ? { help: 'ask for nothing but that in the prompt, and see that `max_new_tokens` leaves room for it' }
      : {}),
  });
