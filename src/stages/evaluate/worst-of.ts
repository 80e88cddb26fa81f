import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { Json } from '../../json.ts';
import { perturbationKinds } from '../../text/perturbation/perturbations.ts';
import type { Score } from '../ports/scores.ts';
import { grouped } from './grouped.ts';
import type { RatedResponse } from './metrics/metric.ts';
import { plainMean } from './statistics/plain-mean.ts';

interface Worst {
  readonly rated: readonly RatedResponse[];
  /** What each response got, by its id. */
  readonly values: ReadonlyMap<string, Json>;
  readonly config: EvaluateConfig;
  /** The score over all responses. */
  readonly score: Score | undefined;
}

/**
 * The mean over the values of a field, each with what its worst response got; a response that was left out counts for nothing. Of
 * perturbed questions also for robustness and for fairness alone.
 */
export function worstOf(worst: Worst): readonly Score[] {
  const { worst_of: field } = worst.config;
  if (field === undefined || worst.score === undefined) return [];
  const all = meanOfWorst({ ...worst, field, score: worst.score, of: `worst of each ${field}` });
  const byAim = ['robustness', 'fairness'].flatMap((aim) => {
    const own = worst.rated.filter(({ response }) => {
      const kind = aimOf(response.fields.perturbation);
      return kind === 'none' || kind === aim;
    });
    const isAimed = own.some(({ response }) => aimOf(response.fields.perturbation) === aim);
    return isAimed && worst.score
      ? [meanOfWorst({ ...worst, rated: own, field, score: worst.score, of: aim })]
      : [];
  });
  return [all, ...byAim];
}

const aims = new Map<string, string>([...Object.entries(perturbationKinds), ['none', 'none']]);

/** What a perturbed question is a test of; `none` for a question as it is. */
const aimOf = (kind: Json | undefined): string | undefined =>
  typeof kind === 'string' ? aims.get(kind) : undefined;

interface WorstField extends Worst {
  readonly field: string;
  readonly score: Score;
  readonly of: string;
}

function meanOfWorst({ rated, values, field, score, of }: WorstField): Score {
  const { metric, higher_is_better } = score;
  const groups = grouped(rated, ({ response }) => JSON.stringify(response.fields[field] ?? response.id));
  const worst = [...groups.values()].flatMap((own) => {
    const got = own.flatMap(({ response }) => {
      const value = values.get(response.id);
      return typeof value === 'number' ? [value] : [];
    });
    return got.length === 0 ? [] : [higher_is_better ? Math.min(...got) : Math.max(...got)];
  });
  const { mean, standardError } = plainMean(worst);
  return {
    metric,
    of,
    value: mean,
    higher_is_better,
    count: worst.length,
    ...(standardError === undefined ? {} : { standard_error: standardError }),
  };
}
