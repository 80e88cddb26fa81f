/** How gold labels and predicted ones meet, as seen from one class. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

/** Labels of the same things in the same order. */
export interface LabelPairs {
  readonly gold: readonly string[];
  readonly predicted: readonly string[];
}

export function confusionOf({ gold, predicted }: LabelPairs, positive: string): Confusion {
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
