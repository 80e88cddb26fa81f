import { confusionOf, type LabelPairs } from './confusion.ts';

/** The harmonic mean of precision and recall of one class; 0 where the class neither stands nor is predicted. */
export function f1(pairs: LabelPairs, positive: string): number {
  const { truePositives, falsePositives, falseNegatives } = confusionOf(pairs, positive);
  const total = 2 * truePositives + falsePositives + falseNegatives;
  return total === 0 ? 0 : (2 * truePositives) / total;
}

/** The mean of the classes' F1, each class counted once. */
export const macroF1 = (pairs: LabelPairs, classes: readonly string[]): number =>
  classes.reduce((total, label) => total + f1(pairs, label), 0) / classes.length;
