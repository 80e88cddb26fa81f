import { answerKey } from '../../stages/evaluate/ratings/answer-key.ts';
import type { ResponseRecord } from '../../stages/ports/response-record.ts';
import { parseReply } from './parse-reply.ts';
import type { RatingsFile } from './ratings-file.ts';
import type { Card } from './review-card.ts';
import type { Scale } from './scale.ts';

interface Review {
  readonly responses: readonly ResponseRecord[];
  readonly ratings: RatingsFile;
  readonly rater: string;
  readonly scale: Scale;
  readonly show: (card: Card) => void;
  /** The next line that the person writes; undefined at the end of the input. */
  readonly ask: () => Promise<string | undefined>;
  readonly complain: (problem: string) => void;
}

/** Walks through the answers from the first that the rater has not rated; returns how many were rated on the way. */
export async function reviewAnswers(review: Review): Promise<number> {
  const { responses, ratings, rater, scale } = review;
  const keys = responses.map(({ prompt, response = '' }) => answerKey({ prompt, response }));
  const beforeAt = (index: number) => ratings.find({ rater, key: keys[index] ?? '' });
  const firstOpen = responses.findIndex((_, index) => !beforeAt(index)?.score);
  let index = firstOpen < 0 ? responses.length : firstOpen;
  let rated = 0;
  for (;;) {
    const response = responses[index];
    if (response === undefined) return rated;
    const before = beforeAt(index);
    review.show({ response, before, place: `${index + 1} of ${responses.length}` });
    const line = await review.ask();
    const reply = line === undefined ? ({ type: 'quit' } as const) : parseReply(line, scale);
    const about = {
      key: keys[index] ?? '',
      rater,
      prompt: response.prompt,
      response: response.response ?? '',
    };
    switch (reply.type) {
      case 'rate':
        await ratings.put({ ...about, score: `${reply.score}`, note: reply.note ?? before?.note ?? '' });
        rated += 1;
        index += 1;
        break;
      case 'note':
        await ratings.put({ ...about, score: before?.score ?? '', note: reply.note });
        break;
      case 'skip':
        index += 1;
        break;
      case 'back':
        index = Math.max(0, index - 1);
        break;
      case 'quit':
        return rated;
      case 'unclear':
        review.complain(reply.problem);
        break;
      default:
        return reply satisfies never;
    }
  }
}
