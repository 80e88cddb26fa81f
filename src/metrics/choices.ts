import type { RatedChoice, ResponseRecord } from '../text/index.ts';
import { type Metric, plainly, type RatedResponse, type SetMetric } from './metric.ts';
import { plainMean } from './statistics.ts';

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

const BINS = 10;
/** The share of answers, the surest first, whose accuracy is told. */
const SHARE = 0.1;

interface Answer {
  readonly confidence: number;
  /** 1 where it is right, else 0. */
  readonly right: number;
}

/**
 * How far a model's confidence in its choices can be trusted, as HELM measures it (Liang et al. 2022, 4.4): the expected
 * calibration error over 10 bins of equally many answers and over 1, the accuracy of the surest tenth, and the mean
 * accuracy over all shares of the surest.
 */
export const calibration: SetMetric = {
  reads: 'choices',
  score: (rated) => {
    const answers = rated.map(answerOf).sort((a, b) => b.confidence - a.confidence);
    const accuracies = surestAccuracies(answers);
    const surest = accuracies[Math.max(1, Math.floor(SHARE * answers.length)) - 1] ?? Number.NaN;
    const score = (metric: string, value: number) => ({
      metric,
      value,
      higher_is_better: !metric.startsWith('ece'),
      count: answers.length,
    });
    return {
      metrics: [
        score('ece_10_bin', calibrationError(answers, BINS)),
        score('ece_1_bin', calibrationError(answers, 1)),
        score('selective_accuracy_10', surest),
        score('selective_accuracy_area', plainMean(accuracies).mean),
      ],
      values: new Map(rated.map((one) => [one.response.id, answerOf(one).confidence])),
    };
  },
};

const answerOf = ({ response, expected }: RatedResponse): Answer => ({
  confidence: confidence(response.choices ?? []),
  right: expected.includes(chosenText(response)) ? 1 : 0,
});

/** The mean over answers of how far their bin's mean confidence is from its accuracy. */
function calibrationError(answers: readonly Answer[], bins: number): number {
  const sorted = [...answers].sort((a, b) => a.confidence - b.confidence);
  const bounds = Array.from({ length: bins + 1 }, (_, bin) => Math.round((bin * sorted.length) / bins));
  return bounds.slice(1).reduce((total, end, bin) => {
    const own = sorted.slice(bounds[bin], end);
    const gap = own.reduce((sum, { confidence: sure, right }) => sum + sure - right, 0);
    return total + Math.abs(gap) / sorted.length;
  }, 0);
}

/** The accuracy of the first answer, of the first two, and so on. */
function surestAccuracies(answers: readonly Answer[]): readonly number[] {
  let right = 0;
  return answers.map((answer, index) => {
    right += answer.right;
    return right / (index + 1);
  });
}

/** By what the candidates are compared. */
type Likelihood = 'log_likelihood' | 'per_character' | 'per_byte';

/** The place of the likeliest candidate, the first among equals; -1 where there is none. */
export function chosenIndex(
  { choices = [] }: Pick<ResponseRecord, 'choices'>,
  by: Likelihood = 'log_likelihood',
): number {
  let best = choices.length === 0 ? -1 : 0;
  for (const [index, choice] of choices.entries())
    if (choice[by] > (choices[best]?.[by] ?? Number.NEGATIVE_INFINITY)) best = index;
  return best;
}

export const chosenText = (response: Pick<ResponseRecord, 'choices'>, by?: Likelihood): string =>
  response.choices?.[chosenIndex(response, by)]?.text ?? '';

/** The probability of the likeliest candidate where one of them has to be right. */
function confidence(choices: readonly RatedChoice[]): number {
  const likelihoods = choices.map(({ log_likelihood }) => log_likelihood);
  const largest = Math.max(...likelihoods);
  return 1 / likelihoods.reduce((total, one) => total + Math.exp(one - largest), 0);
}
