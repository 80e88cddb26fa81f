import { type Metric, plainly } from '../metric.ts';
import { chosenIndex, chosenText, type Likelihood } from './chosen.ts';

const accuracyBy = (by: Likelihood): Metric => ({
  higherIsBetter: true,
  reads: 'choices',
  rate: ({ response, expected }) => plainly(expected.includes(chosenText(response, by)) ? 1 : 0),
});

/** 1 where the likeliest candidate is right (lm-evaluation-harness: acc). */
export const accuracy = accuracyBy('log_likelihood');
/** The same by the likelihood of a character (acc_norm). */
export const accuracyPerCharacter = accuracyBy('per_character');
/** The same by the likelihood of a byte (acc_bytes). */
export const accuracyPerByte = accuracyBy('per_byte');

/** BIG-bench's grade: what its task gives for the likeliest candidate (`choice_scores` of the row). */
export const multipleChoiceGrade: Metric = {
  higherIsBetter: true,
  reads: 'choices',
  rate: ({ response }) => {
    const scores = response.fields.choice_scores;
    const score = Array.isArray(scores) ? scores[chosenIndex(response)] : undefined;
    return typeof score === 'number' ? plainly(score) : undefined;
  },
  leftOutReason: () => 'its row has no `choice_scores`',
};
