import { createHash } from 'node:crypto';

export interface RatedAnswer {
  readonly prompt: string;
  readonly response: string;
}

/** Names an answer by its content, so that ratings of it outlive every rerun that gives the same answer. */
export const answerKey = ({ prompt, response }: RatedAnswer): string =>
  createHash('sha256')
    .update(JSON.stringify([prompt, response]))
    .digest('hex')
    .slice(0, 24);
