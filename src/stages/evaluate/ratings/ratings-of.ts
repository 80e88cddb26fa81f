import type { ResponseRecord } from '../../ports/response-record.ts';
import { answerKey } from './answer-key.ts';
import type { Rating } from './read-ratings.ts';

/** People's ratings of a response or, where it is a judge's, of the answer that was judged. */
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
