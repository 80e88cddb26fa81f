import { numberIn } from '../core/index.ts';
import type { ResponseRecord } from '../text/index.ts';
import type { MeanMetric, Metrics, ScoredResponse, SetScores } from './metric.ts';
import { plainMean, unweighted } from './statistics.ts';

type Choices = NonNullable<ResponseRecord['choices']>;

/** The figure by which candidates are compared. */
type Likelihood = 'log_likelihood' | 'per_character' | 'per_byte';

const accuracyBy = (by: Likelihood) =>
  ({
    better: 'higher',
    reads: 'choices',
    scoreOne: ({ response, expected }) => unweighted(expected.includes(chosenText(response, by)) ? 1 : 0),
  }) satisfies Partial<MeanMetric>;

/** Metrics of the choice between candidates by their log-likelihoods. */
export const choiceMetrics = {
  accuracy: {
    ...accuracyBy('log_likelihood'),
    measures: 'The share of questions whose most likely candidate is right.',
    source: "lm-evaluation-harness's acc",
  },
  accuracy_per_character: {
    ...accuracyBy('per_character'),
    measures:
      'The share of questions whose candidate with the highest log-likelihood per character is right.',
    source: "lm-evaluation-harness's acc_norm",
  },
  accuracy_per_byte: {
    ...accuracyBy('per_byte'),
    measures: 'The share of questions whose candidate with the highest log-likelihood per byte is right.',
    source: "lm-evaluation-harness's acc_bytes",
  },
  multiple_choice_grade: {
    better: 'higher',
    reads: 'choices',
    measures: 'The mean of what the task gives for the most likely candidate (`choice_scores` of the row).',
    source: 'BIG-bench',
    scoreOne: ({ response }) => {
      const scores = response.fields.choice_scores;
      const score = Array.isArray(scores) ? numberIn(scores[chosenIndex(response)]) : undefined;
      return score === undefined ? undefined : unweighted(score);
    },
    leftOutReason: () => 'its row has no `choice_scores`',
  },
  calibration: {
    better: 'varies',
    reads: 'choices',
    measures:
      "How far a model's confidence in its choices can be trusted: the expected calibration error over 10 bins of equally many answers and over 1, the accuracy of the most confident tenth, and the mean accuracy over all shares of the most confident.",
    source: 'HELM (Liang et al. 2022, 4.4)',
    scoreAll: scoreCalibration,
  },
} satisfies Metrics;

/** The index of the most likely candidate, the first among equals; -1 without candidates. */
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

interface Answer {
  readonly confidence: number;
  /** 1 if it is right, else 0. */
  readonly right: number;
}

function scoreCalibration(responses: readonly ScoredResponse[]): SetScores {
  const answers = responses.map(answerOf).sort((a, b) => b.confidence - a.confidence);
  const accuracies = topAccuracies(answers);
  const tenth = accuracies[Math.max(1, Math.floor(0.1 * answers.length)) - 1] ?? Number.NaN;
  const count = answers.length;
  const lower = (metric: string, value: number) => ({ metric, value, higher_is_better: false, count });
  const higher = (metric: string, value: number) => ({ metric, value, higher_is_better: true, count });
  return {
    metrics: [
      lower('ece_10_bin', calibrationError(answers, 10)),
      lower('ece_1_bin', calibrationError(answers, 1)),
      higher('selective_accuracy_10', tenth),
      higher('selective_accuracy_area', plainMean(accuracies).mean),
    ],
    values: new Map(responses.map((one) => [one.response.id, answerOf(one).confidence])),
  };
}

const answerOf = ({ response, expected }: ScoredResponse): Answer => ({
  confidence: confidence(response.choices ?? []),
  right: expected.includes(chosenText(response)) ? 1 : 0,
});

/** The probability of the most likely candidate, given that one of them is right. */
function confidence(choices: Choices): number {
  const likelihoods = choices.map(({ log_likelihood }) => log_likelihood);
  const largest = Math.max(...likelihoods);
  return 1 / likelihoods.reduce((total, one) => total + Math.exp(one - largest), 0);
}

/** The mean over answers of the distance between their bin's mean confidence and its accuracy. */
function calibrationError(answers: readonly Answer[], bins: number): number {
  const sorted = [...answers].sort((a, b) => a.confidence - b.confidence);
  const bounds = Array.from({ length: bins + 1 }, (_, bin) => Math.round((bin * sorted.length) / bins));
  return bounds.slice(1).reduce((total, end, bin) => {
    const own = sorted.slice(bounds[bin], end);
    const gap = own.reduce((sum, answer) => sum + answer.confidence - answer.right, 0);
    return total + Math.abs(gap) / sorted.length;
  }, 0);
}

/** The accuracy of the first answer, of the first two, and so on. */
function topAccuracies(answers: readonly Answer[]): readonly number[] {
  let right = 0;
  return answers.map((answer, index) => {
    right += answer.right;
    return right / (index + 1);
  });
}
