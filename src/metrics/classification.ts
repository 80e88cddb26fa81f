/** The confusion matrix of one class against the rest. */
interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Gold and predicted labels of the same items, in the same order. */
export interface LabelPairs {
  readonly gold: readonly string[];
  readonly predicted: readonly string[];
}

function confusionOf({ gold, predicted }: LabelPairs, positive: string): Confusion {
  const count = (isGold: boolean, isPredicted: boolean): number =>
    gold.filter(
      (label, index) => (label === positive) === isGold && (predicted[index] === positive) === isPredicted,
    ).length;
  return {
    truePositives: count(true, true),
    falsePositives: count(false, true),
    falseNegatives: count(true, false),
    trueNegatives: count(false, false),
  };
}

/** The harmonic mean of precision and recall of one class; 0 if the class is neither a label nor a prediction. */
export function f1(pairs: LabelPairs, positive: string): number {
  const { truePositives, falsePositives, falseNegatives } = confusionOf(pairs, positive);
  const total = 2 * truePositives + falsePositives + falseNegatives;
  return total === 0 ? 0 : (2 * truePositives) / total;
}

/** The mean of the classes' F1; each class counts once. */
export const macroF1 = (pairs: LabelPairs, classes: readonly string[]): number =>
  classes.reduce((total, label) => total + f1(pairs, label), 0) / classes.length;

/** Matthews correlation of two classes; 0 if all gold or all predicted labels are equal, as in scikit-learn. */
export function matthews(pairs: LabelPairs, positive: string): number {
  const {
    truePositives: tp,
    falsePositives: fp,
    falseNegatives: fn,
    trueNegatives: tn,
  } = confusionOf(pairs, positive);
  const spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn);
  return spread === 0 ? 0 : (tp * tn - fp * fn) / Math.sqrt(spread);
}
