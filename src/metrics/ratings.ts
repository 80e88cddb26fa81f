import { createHash } from 'node:crypto';
import { RecordProblems, UserError } from '../core/index.ts';
import type { DataRecord, ResponseRecord } from '../text/index.ts';

/** People's ratings of a response or, if it is a judge's, of the answer that was judged. */
export function ratingsOf(
  { prompt, response = '', fields }: ResponseRecord,
  { ratings, judgedField }: { ratings: ReadonlyMap<string, readonly Rating[]>; judgedField: string },
): readonly Rating[] {
  const own = ratings.get(answerKey({ prompt, response }));
  if (own !== undefined) return own;
  const { prompt: asked, [judgedField]: judged } = fields;
  if (typeof asked !== 'string' || typeof judged !== 'string') return [];
  return ratings.get(answerKey({ prompt: asked, response: judged })) ?? [];
}

/** One person's rating of one answer. */
export interface Rating {
  readonly rater: string;
  readonly score: number;
}

/** People's ratings by the answer's key; rows without a score are only notes. If a rater rates an answer twice, the last rating counts. */
export function readRatings(records: readonly DataRecord[]): ReadonlyMap<string, readonly Rating[]> {
  const byKey = new Map<string, Map<string, number>>();
  const problems = new RecordProblems('are no ratings', 'ratings');
  for (const record of records)
    problems.collect({ id: record.id }, () => {
      const { key, rater = '', score } = record;
      if (typeof key !== 'string' || typeof rater !== 'string')
        throw noRating('it has no text in `key` or `rater`');
      if (score === '' || score === undefined || score === null) return;
      const value = Number(score);
      if (!Number.isFinite(value)) throw noRating(`its \`score\` is ${JSON.stringify(score).slice(0, 60)}`);
      byKey.set(key, (byKey.get(key) ?? new Map<string, number>()).set(rater, value));
    });
  problems.throwIfAny();
  return new Map(
    [...byKey].map(([key, raters]) => [key, [...raters].map(([rater, score]) => ({ rater, score }))]),
  );
}

const noRating = (message: string) =>
  new UserError({
    code: 'bad-rating',
    message,
    help: '`tuneloom review` writes such a file: CSV with the columns key, rater, score and note',
  });

/** Names an answer by its content, so that its ratings survive every rerun that gives the same answer. */
export const answerKey = ({ prompt, response }: { prompt: string; response: string }): string =>
  createHash('sha256')
    .update(JSON.stringify([prompt, response]))
    .digest('hex')
    .slice(0, 24);
