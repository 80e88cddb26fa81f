import { nameRecords, UserError } from '../../core/index.ts';
import { leftOutField, type Scores } from '../../metrics/index.ts';
import type { ResponseRecord } from '../../text/index.ts';

/** Items of one list without a counterpart in another one. */
interface Unmatched {
  /** Continues "3 ...": `responses without a reference`. */
  readonly what: string;
  readonly ids: readonly string[];
  /** What the items lack or answer: a second judge concerns only the agreement with it. */
  readonly side: 'references' | 'second judge';
}

interface Compared {
  readonly references: ReadonlyMap<string, unknown> | undefined;
  readonly second: ReadonlyMap<string, unknown> | undefined;
}

/** What has no counterpart, by lists. */
export function unmatchedIds(
  responses: readonly ResponseRecord[],
  { references, second }: Compared,
): readonly Unmatched[] {
  const known = new Set(responses.map(({ id, sample_of: question = id }) => question));
  const sides = [
    {
      side: 'references',
      others: references,
      without: 'responses without a reference',
      unused: 'references without a response',
    },
    {
      side: 'second judge',
      others: second,
      without: "responses without the second judge's",
      unused: "responses of the second judge without the first one's",
    },
  ] as const;
  const found = sides.flatMap(({ side, others, without, unused }) =>
    others === undefined
      ? []
      : [
          { what: without, ids: [...known].filter((id) => !others.has(id)), side },
          { what: unused, ids: [...others.keys()].filter((id) => !known.has(id)), side },
        ],
  );
  return found.filter(({ ids }) => ids.length > 0);
}

export function refuseUnmatched(unmatched: readonly Unmatched[]): void {
  if (unmatched.length === 0) return;
  const lists = unmatched.map(
    ({ what, ids }) => `${ids.length} ${what} (${nameRecords(ids.map((id) => ({ id })))})`,
  );
  throw new UserError({
    code: 'unmatched',
    message: `there are ${lists.join(', and ')}`,
    help: 'they are matched by their ids: give both load stages an `id` field with the same values, or write `unmatched: leave_out` to score the others',
  });
}

/** Says in each figure over all responses what it leaves out for want of a counterpart. */
export function countLeftOut(scores: Scores, unmatched: readonly Unmatched[]): Scores {
  const idsOf = (wanted: Unmatched['side']) => [
    ...new Set(unmatched.flatMap(({ side, ids }) => (side === wanted ? ids : []))),
  ];
  const [references, second] = [idsOf('references'), idsOf('second judge')];
  return {
    ...scores,
    metrics: scores.metrics.map((score) => {
      if (score.left_out !== undefined) return score;
      if (score.of === undefined) return { ...score, ...leftOutField('it has no counterpart', references) };
      return score.metric.startsWith('judge_agreement') && score.of === 'second judge'
        ? { ...score, ...leftOutField('only one of the judges has marked it', [...references, ...second]) }
        : score;
    }),
  };
}
