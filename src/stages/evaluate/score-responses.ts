import { benchmarkMetrics } from '../../benchmarks/index.ts';
import { type Json, UserError } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import {
  errorField,
  generalMetrics,
  leftOutField,
  type MeanMetric,
  type Metric,
  type MetricName,
  type Metrics,
  responseContents,
  type Score,
  type ScoredResponse,
  type Scores,
  type SetScores,
  weightedMean,
} from '../../metrics/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { breakDown, worstOf } from './breakdowns.ts';

/** Every metric of the configuration over all responses, and what each response scored. */
export function scoreResponses(responses: readonly ScoredResponse[], config: EvaluateConfig): Scores {
  const rows = config.metrics.map((name) => {
    const metric = metricNamed(name);
    const scoresOf = (some: readonly ScoredResponse[]) => scoresBy(metric, { name, responses: some, config });
    const { metrics, values } = scoresOf(responses);
    const broken = config.by.flatMap((field) =>
      breakDown(responses, { field, scoresOf: (some) => scoresOf(some).metrics }),
    );
    const worst = 'scoreOne' in metric ? worstOf({ responses, values, config, score: metrics[0] }) : [];
    return { name, metrics: [...metrics, ...worst, ...broken], values };
  });
  return {
    metrics: rows.flatMap((row) => row.metrics),
    records: responses.map(({ response: { id } }) => ({
      id,
      values: Object.fromEntries(
        rows
          .filter(({ values }) => values.size > 0)
          .map(({ name, values }) => [name, values.get(id) ?? null]),
      ),
    })),
  };
}

const metrics: Metrics = { ...generalMetrics, ...benchmarkMetrics };

/** The schema's names follow from the metrics by `npm run generate`, so every valid name is found. */
function metricNamed(name: MetricName): Metric {
  const metric = metrics[name];
  if (metric === undefined) throw new Error(`there is no metric ${name}`);
  return metric;
}

interface Scoring {
  readonly name: MetricName;
  readonly responses: readonly ScoredResponse[];
  readonly config: EvaluateConfig;
}

function scoresBy(metric: Metric, scoring: Scoring): SetScores {
  const { name, responses, config } = scoring;
  checkReadable(metric, scoring);
  if (responses.length === 0)
    throw new UserError({
      code: 'nothing-to-score',
      message: `the metric \`${name}\` has no response to score`,
      help: 'no record reached this stage: look at the inputs of the stages before it',
    });
  return 'scoreAll' in metric ? metric.scoreAll(responses, config) : meanScores(metric, scoring);
}

function meanScores(metric: MeanMetric, { name, responses, config }: Scoring): SetScores {
  const scored = responses.map((one) => ({ id: one.response.id, score: metric.scoreOne(one, config) }));
  const used = scored.flatMap(({ score }) => score ?? []);
  const ids = scored.filter(({ score }) => score === undefined).map(({ id }) => id);
  const reason = metric.leftOutReason?.(config) ?? 'it cannot be scored';
  if (used.length === 0) throw noneUsable(name, { reason, metric, first: responses[0]?.response });
  const transformed = (value: number) => (metric.transform === 'exp' ? Math.exp(value) : value);
  const { mean, standardError } = weightedMean(used);
  const value = transformed(mean);
  // The delta method: d exp(x) = exp(x) dx.
  const slope = metric.transform === 'exp' ? value : 1;
  const score: Score = {
    metric: name,
    value,
    higher_is_better: metric.better === 'higher',
    count: used.length,
    ...errorField(standardError === undefined ? undefined : slope * standardError),
    ...leftOutField(reason, ids),
  };
  const values = scored.map(({ id, score }): readonly [string, Json] => [
    id,
    score === undefined ? null : transformed(score.value),
  ]);
  return { metrics: [score], values: new Map(values) };
}

const noneUsable = (
  name: MetricName,
  { reason, metric, first }: { reason: string; metric: Metric; first: ResponseRecord | undefined },
) =>
  new UserError({
    code: 'nothing-to-score',
    message: `the metric \`${name}\` can use none of the responses: ${reason}; the first answer is ${JSON.stringify((first?.response ?? '').slice(0, 200))}`,
    ...(metric.reads === 'text'
      ? { help: 'ask for nothing but that in the prompt, and see that `max_new_tokens` leaves room for it' }
      : {}),
  });

/** Refuses responses that lack what the metric reads. */
function checkReadable({ reads }: Metric, { name, responses }: Scoring): void {
  const { fields, lack, help } = responseContents[reads];
  const without = responses.filter(({ response }) => fields.every((field) => response[field] === undefined));
  if (without.length === 0) return;
  throw new UserError({
    code: 'wrong-mode',
    message: `the metric \`${name}\` cannot be computed: ${without.length} of ${responses.length} responses ${lack}`,
    help,
  });
}
