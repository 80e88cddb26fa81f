import { type Json, UserError } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import {
  type Metric,
  type RatedResponse,
  type ReadableField,
  type Score,
  type Scores,
  type SetMetric,
  type SetScores,
  weightedMean,
} from '../../metrics/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { breakDown, worstOf } from './breakdowns.ts';
import { type MetricName, metrics, setMetrics } from './metric-table.ts';

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

interface Readable {
  /** One of them has to be there. */
  readonly fields: readonly (keyof ResponseRecord)[];
  /** What responses without the field were, as the end of a sentence. */
  readonly lack: string;
  readonly help: string;
}

const modeHelp = (mode: string) =>
  `set \`mode: ${mode}\` in the generate stage that they come from, or choose other metrics`;

const readable: Readonly<Record<ReadableField, Readable>> = {
  text: { fields: ['response'], lack: 'were rated, not answered', help: modeHelp('text') },
  score: { fields: ['log_likelihood'], lack: 'were answered, not rated', help: modeHelp('score') },
  choices: { fields: ['choices'], lack: 'were not chosen from candidates', help: modeHelp('choices') },
  rolling: { fields: ['words'], lack: 'were not rated as whole texts', help: modeHelp('rolling') },
  verdict: { fields: ['response', 'choices'], lack: 'hold no verdict', help: modeHelp('choices') },
  row: { fields: ['fields'], lack: 'have no row', help: 'give the metric records' },
  program: { fields: ['passed'], lack: 'were never run', help: 'let the stage `execute` run them first' },
};

interface Asked {
  readonly name: string;
  readonly reads: ReadableField;
  readonly rated: readonly RatedResponse[];
}

/** Refuses responses that have not got what a metric looks at. */
function checkReadable({ name, reads, rated }: Asked): void {
  const { fields, lack, help } = readable[reads];
  const without = rated.filter(({ response }) => fields.every((field) => response[field] === undefined));
  if (without.length === 0) return;
  throw new UserError({
    code: 'wrong-mode',
    message: `the metric \`${name}\` cannot be taken: ${without.length} of ${rated.length} responses ${lack}`,
    help,
  });
}
