import { type Json, jsonText } from '../../core/index.ts';
import type { EvaluateConfig } from '../../generated/evaluate-config.ts';
import { errorField, grouped, plainMean, type Score, type ScoredResponse } from '../../metrics/index.ts';
import { perturbationKinds } from '../../text/index.ts';

/** The scores for each value of a field, in the order of the values' first responses, and their mean in which each value counts once. */
export function breakDown(
  responses: readonly ScoredResponse[],
  { field, scoresOf }: { field: string; scoresOf: (some: readonly ScoredResponse[]) => readonly Score[] },
): readonly Score[] {
  const groups = grouped(responses, ({ response }) => nameOf(response.fields[field]));
  const scores = [...groups].flatMap(([name, own]) =>
    scoresOf(own).map(({ metric, of, ...score }): Score => {
      return { metric, of: [name, of].filter((part) => part !== undefined).join(': '), ...score };
    }),
  );
  const plain = new Set(scoresOf(responses).flatMap(({ metric, of }) => (of === undefined ? metric : [])));
  const macros = [...plain].map((metric) =>
    macroMean(
      scores.filter((score) => score.metric === metric),
      { metric, field },
    ),
  );
  return [...macros, ...scores];
}

const nameOf = (value: unknown): string =>
  value === undefined ? '(none)' : typeof value === 'string' ? value : jsonText(value);

/** With the standard error of a mean of independent means. */
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

/**
 * The mean over the values of a field, each with its worst response's score; responses that were left out do not count.
 * For perturbed questions also over the kinds of robustness and of fairness alone.
 */
export function worstOf({
  responses,
  values,
  config,
  score,
}: {
  readonly responses: readonly ScoredResponse[];
  /** Response id -> what that response scored. */
  readonly values: ReadonlyMap<string, Json>;
  readonly config: EvaluateConfig;
  /** The score over all responses. */
  readonly score: Score | undefined;
}): readonly Score[] {
  const { worst_of: field } = config;
  if (field === undefined || score === undefined) return [];
  const { metric, higher_is_better } = score;
  const worstMean = (some: readonly ScoredResponse[], of: string): Score => {
    const groups = grouped(some, ({ response }) => jsonText(response.fields[field] ?? response.id));
    const worst = [...groups.values()].flatMap((own) => {
      const scored = own.flatMap(({ response }) => {
        const value = values.get(response.id);
        return typeof value === 'number' ? [value] : [];
      });
      return scored.length === 0 ? [] : [higher_is_better ? Math.min(...scored) : Math.max(...scored)];
    });
    const { mean: value, standardError } = plainMean(worst);
    return { metric, of, value, higher_is_better, count: worst.length, ...errorField(standardError) };
  };
  const byAim = ['robustness', 'fairness'].flatMap((aim) => {
    const hasAim = ({ response }: ScoredResponse) => aimOf(response.fields.perturbation) === aim;
    if (!responses.some(hasAim)) return [];
    const isUnchanged = ({ response }: ScoredResponse) => aimOf(response.fields.perturbation) === 'none';
    return [
      worstMean(
        responses.filter((one) => hasAim(one) || isUnchanged(one)),
        aim,
      ),
    ];
  });
  return [worstMean(responses, `worst of each ${field}`), ...byAim];
}

const aims = new Map<string, string>([...Object.entries(perturbationKinds), ['none', 'none']]);

/** What a perturbed question tests; `none` for an unchanged question. */
const aimOf = (kind: Json | undefined): string | undefined =>
  typeof kind === 'string' ? aims.get(kind) : undefined;
