import { confusionOf, type LabelPairs } from './confusion.ts';

/** Matthews' correlation of two classes; 0 where gold or predicted labels are all the same, as in scikit-learn. */
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
