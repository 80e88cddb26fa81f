import type { Batches, Example } from './batches/example.ts';
import { exampleGroups, groupCount } from './batches/example-groups.ts';

export interface PlannedStep {
  /** 1 is the first step of the training. */
  readonly step: number;
  /** 1 is the first. */
  readonly epoch: number;
  readonly endsEpoch: boolean;
  readonly examples: readonly Example[];
}

interface Plan {
  readonly batches: Batches;
  readonly epochs: number;
  /** How many steps have been taken already. */
  readonly taken?: number;
}

/** The steps that are still to be taken. Which examples a step takes does not depend on how many were taken before. */
export function* plannedSteps({ batches, epochs, taken = 0 }: Plan): Generator<PlannedStep> {
  const { examples, recipe } = batches;
  const stepsAnEpoch = groupCount(examples, recipe);
  for (let epoch = 1 + Math.floor(taken / stepsAnEpoch); epoch <= epochs; epoch++) {
    for (const [index, group] of exampleGroups({ examples, recipe, epoch }).entries()) {
      const step = (epoch - 1) * stepsAnEpoch + index + 1;
      if (step > taken) yield { step, epoch, endsEpoch: index + 1 === stepsAnEpoch, examples: group };
    }
  }
}

export const countSteps = ({ batches, epochs }: Plan): number =>
  epochs * groupCount(batches.examples, batches.recipe);
