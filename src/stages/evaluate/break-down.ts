import type { Score } from '../ports/scores.ts';
import { grouped } from './grouped.ts';
import type { RatedResponse } from './metrics/metric.ts';

interface BreakDown {
  readonly rated: readonly RatedResponse[];
  /** A field of the rows. */
  readonly field: string;
  /** The scores of some of the responses. */
  readonly scoresOf: (some: readonly RatedResponse[]) => readonly Score[];
}

/** The scores for each value of a field, in the order in which the values first come, and the mean of those where each value counts once. */
export function breakDown({ rated, field, scoresOf }: BreakDown): readonly Score[] {
  const groups = grouped(rated, ({ response }) => nameOf(response.fields[field]));
  const scores = [...groups].flatMap(([name, own]) =>
    scoresOf(own).map(({ metric, of, ...score }): Score => {
      return { metric, of: [name, of].filter((part) => part !== undefined).join(': '), ...score };
    }),
  );
  const plain = new Set(scoresOf(rated).flatMap(({ metric, of }) => (of === undefined ? metric : [])));
  const macros = [...plain].map((metric) =>
    macroMean(
      scores.filter((score) => score.metric === metric),
      { metric, field },
    ),
  );
  return [...macros, ...scores];
}

const nameOf = (value: unknown): string =>
  value === undefined ? '(none)' : typeof value === 'string' ? value : JSON.stringify(value);

/** The standard error of a mean of independent means. */
function macroMean(scores: readonly Score[], { metric, field }: { metric: string; field: string }): Score {
  const count = scores.length;
  const mean = scores.reduce((sum, { value }) => sum + value, 0) / count;
  const errors = scores.flatMap(({ standard_error: error }) => error ?? []);
  const squares = errors.reduce((sum, error) => sum + error ** 2, 0);
  return {
    metric,
    of: `mean over ${field}`,
    value: mean,
    higher_is_better: scores[0]?.higher_is_better ?? true,
    count,
    ...(errors.length === count ? { standard_error: Math.sqrt(squares) / count } : {}),
  };
}
