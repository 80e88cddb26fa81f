import * as tf from '@tensorflow/tfjs-core';
import type { TrainConfig } from '../../generated/train-config.ts';
import type { FigureSums } from './figures.ts';
import { sumOf } from './figures.ts';

export type PairObjectiveName = Exclude<TrainConfig['objective'], 'sft' | 'kto'>;

/** The values of P pairs: log-probabilities of their answers, by the model and by its reference. */
export interface PairValues<Values> {
  readonly chosen: Values;
  readonly rejected: Values;
  readonly referenceChosen: Values;
  readonly referenceRejected: Values;
}

/** How pairs become a loss. */
export interface PairObjective {
  /** Whether log-probabilities are divided by the number of tokens. */
  readonly averages: boolean;
  /** Whether the preferred answers are learned too, by their likelihood. */
  readonly learns: boolean;
  /** [P] each -> the loss of each pair, [P]. */
  readonly losses: (values: PairValues<tf.Tensor>) => tf.Tensor;
  /** Also computed here and not by the loss, in double precision. */
  readonly figures: (values: PairValues<readonly number[]>) => FigureSums;
}

export function pairObjective(name: PairObjectiveName, settings: TrainConfig['preference']): PairObjective {
  const { beta = 0.1 } = settings;
  switch (name) {
    case 'dpo':
      return {
        ...{ averages: settings.average_log_prob ?? false, learns: false },
        losses: dpoLosses(settings),
        figures: rewardFigures(beta),
      };
    case 'ipo':
      return { averages: true, learns: false, losses: ipoLosses(beta), figures: rewardFigures(beta) };
    case 'simpo':
      return { averages: true, learns: false, losses: simpoLosses(settings), figures: rewardFigures(beta) };
    case 'orpo':
      return {
        ...{ averages: true, learns: true },
        losses: ({ chosen, rejected }) => tf.mul(tf.neg(logSigmoid(logOdds(chosen, rejected))), beta),
        figures: (values) => ({ ...rewardFigures(beta)(values), ...oddsFigures(values) }),
      };
    default:
      return name satisfies never;
  }
}

/** log sigmoid(x), without overflow. */
const logSigmoid = (x: tf.Tensor): tf.Tensor => tf.neg(tf.softplus(tf.neg(x)));

/** Rafailov et al. 2023, arXiv:2305.18290; hinge: arXiv:2305.10425; robust: arXiv:2403.00409; apo: arXiv:2408.06266. */
function dpoLosses({
  beta = 0.1,
  loss_type = 'sigmoid',
  label_smoothing: smoothing = 0,
}: TrainConfig['preference']) {
  return ({ chosen, rejected, referenceChosen, referenceRejected }: PairValues<tf.Tensor>): tf.Tensor => {
    const [better, worse] = [tf.sub(chosen, referenceChosen), tf.sub(rejected, referenceRejected)];
    const margins = tf.mul(tf.sub(better, worse), beta);
    switch (loss_type) {
      case 'sigmoid':
        return smoothed(margins, smoothing);
      case 'hinge':
        return tf.relu(tf.sub(1, margins));
      case 'robust': {
        const right = tf.mul(logSigmoid(margins), smoothing - 1);
        const wrong = tf.mul(logSigmoid(tf.neg(margins)), smoothing);
        return tf.div(tf.add(right, wrong), 1 - 2 * smoothing);
      }
      case 'apo_zero':
        return tf.add(tf.sigmoid(tf.mul(better, -beta)), tf.sigmoid(tf.mul(worse, beta)));
      case 'apo_down':
        return tf.add(tf.sigmoid(tf.mul(better, beta)), tf.sigmoid(tf.neg(margins)));
      default:
        return loss_type satisfies never;
    }
  };
}

/** The loss of a logistic model of margins, of which a share has the wrong sign. */
const smoothed = (margins: tf.Tensor, smoothing: number): tf.Tensor => {
  const right = tf.neg(logSigmoid(margins));
  if (smoothing === 0) return right;
  return tf.add(tf.mul(right, 1 - smoothing), tf.mul(tf.neg(logSigmoid(tf.neg(margins))), smoothing));
};

/** Azar et al. 2023, arXiv:2310.12036, equation 17. */
const ipoLosses =
  (beta: number) =>
  ({ chosen, rejected, referenceChosen, referenceRejected }: PairValues<tf.Tensor>): tf.Tensor => {
    const margins = tf.sub(tf.sub(chosen, referenceChosen), tf.sub(rejected, referenceRejected));
    return tf.square(tf.sub(margins, 1 / (2 * beta)));
  };

/** Meng et al. 2024, arXiv:2405.14734, with gamma as a margin before beta, as in TRL's CPOTrainer. */
const simpoLosses =
  ({ beta = 0.1, simpo_gamma: gamma = 0.5, label_smoothing = 0 }: TrainConfig['preference']) =>
  ({ chosen, rejected }: PairValues<tf.Tensor>): tf.Tensor =>
    smoothed(tf.mul(tf.sub(tf.sub(chosen, rejected), gamma / beta), beta), label_smoothing);

/** log(p / (1 - p)) of the preferred answer over that of the other; Hong et al. 2024, arXiv:2403.07691. */
const logOdds = (chosen: tf.Tensor, rejected: tf.Tensor): tf.Tensor => {
  const logOfRest = (logProb: tf.Tensor) => tf.log1p(tf.neg(tf.exp(logProb)));
  return tf.sub(tf.sub(chosen, rejected), tf.sub(logOfRest(chosen), logOfRest(rejected)));
};

/** An answer's reward is beta times its log-probability's gain over the reference. */
const rewardFigures =
  (beta: number) =>
  ({ chosen, rejected, referenceChosen, referenceRejected }: PairValues<readonly number[]>): FigureSums => {
    const better = chosen.map((value, index) => beta * (value - (referenceChosen[index] ?? 0)));
    const worse = rejected.map((value, index) => beta * (value - (referenceRejected[index] ?? 0)));
    const margins = better.map((value, index) => value - (worse[index] ?? 0));
    return {
      rewards_chosen: sumOf(better),
      rewards_rejected: sumOf(worse),
      rewards_margins: sumOf(margins),
      rewards_accuracies: sumOf(margins.map((margin) => Number(margin > 0))),
      logps_chosen: sumOf(chosen),
      logps_rejected: sumOf(rejected),
    };
  };

function oddsFigures({ chosen, rejected }: PairValues<readonly number[]>): FigureSums {
  const odds = (value: number) => value - Math.log1p(-Math.exp(value));
  const ratios = chosen.map((value, index) => odds(value) - odds(rejected[index] ?? 0));
  return {
    log_odds_ratio: sumOf(ratios.map((ratio) => -Math.log1p(Math.exp(-ratio)))),
    log_odds_chosen: sumOf(ratios),
  };
}

/**
 * Kahneman-Tversky optimization, Ethayarajh et al. 2024, arXiv:2402.01306: an answer's gain over the reference is
 * compared with the estimated divergence. Gains, signs (1 or -1) and weights are [A].
 */
export function ktoLosses({
  gains,
  signs,
  weights,
  divergence,
  beta,
}: {
  readonly gains: tf.Tensor;
  readonly signs: tf.Tensor;
  readonly weights: tf.Tensor;
  readonly divergence: number;
  readonly beta: number;
}): tf.Tensor {
  const values = tf.mul(tf.mul(tf.sub(gains, divergence), signs), beta);
  return tf.mul(weights, tf.sigmoid(tf.neg(values)));
}
