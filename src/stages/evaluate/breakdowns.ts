import type { Json } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { grouped, plainMean, type RatedResponse, type Score } from '../../metrics/index.ts';
import { perturbationKinds } from '../../text/index.ts';

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
