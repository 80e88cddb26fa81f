import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import type { Json } from '../../json.ts';
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

/** The mean over the values of a field, each with what its worst response got; a response that was left out counts for nothing. */
export function worstOf({ rated, values, config, score }: Worst): readonly Score[] {
  const { worst_of: field } = config;
  if (field === undefined || score === undefined) return [];
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
  return [
    {
      metric,
      of: `worst of each ${field}`,
      value: mean,
      higher_is_better,
      count: worst.length,
      ...(standardError === undefined ? {} : { standard_error: standardError }),
    },
  ];
}
