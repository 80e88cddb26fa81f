import { UserError } from '../../user-error.ts';
import type { Question } from './question.ts';

/** Each question as often as it is to be answered; the first keeps its id, so that its answer is found again. */
export function withSamples(questions: readonly Question[], samples: number): readonly Question[] {
  if (samples === 1) return questions;
  const asked = questions.flatMap((question) =>
    Array.from({ length: samples }, (_, sample) => ({
      ...question,
      sample,
      id: sample === 0 ? question.id : `${question.id}#${sample + 1}`,
    })),
  );
  const ids = new Set<string>();
  for (const { id } of asked) {
    if (ids.has(id))
      throw new UserError({
        code: 'duplicate-id',
        message: `a record and a sample of another have the id ${id}`,
      });
    ids.add(id);
  }
  return asked;
}
