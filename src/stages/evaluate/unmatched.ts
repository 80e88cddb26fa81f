import { nameRecords, UserError } from '../../core/index.ts';
import { leftOutField, type Scores } from '../../metrics/index.ts';
import type { ResponseRecord } from '../../text/index.ts';

/** Items of one list without a counterpart in another one. */
interface Unmatched {
  /** Continues "3 ...": `responses without a reference`. */
  readonly what: string;
  readonly ids: readonly string[];
  /** Whether the items are responses, rather than what they are compared with. */
  readonly isResponse: boolean;
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
  const known = new Set(responses.map(({ id }) => id));
  const sides = [
    { others: references, without: 'responses without a reference', unused: 'references without a response' },
    {
      others: second,
      without: "responses without the second judge's",
      unused: "responses of the second judge without the first one's",
    },
  ];
  const found = sides.flatMap(({ others, without, unused }) =>
    others === undefined
      ? []
      : [
          { what: without, ids: [...known].filter((id) => !others.has(id)), isResponse: true },
          { what: unused, ids: [...others.keys()].filter((id) => !known.has(id)), isResponse: false },
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
  const ids = [...new Set(unmatched.flatMap((list) => list.ids))];
  if (ids.length === 0) return scores;
  const field = leftOutField('it has no counterpart', ids);
  return {
    ...scores,
    metrics: scores.metrics.map((score) =>
      score.of === undefined && score.left_out === undefined ? { ...score, ...field } : score,
    ),
  };
}
