interface Moment {
  /** How many steps have been taken. */
  readonly step: number;
  readonly totalSteps: number;
  readonly every: number;
}

/**
 * Losses are measured before training, after the first step and every `every` steps from there, as in
 * LLMs-from-scratch, whose count of steps begins with 0; and at the end, so that the last weights are judged too.
 */
export function isEvaluationDue({ step, totalSteps, every }: Moment): boolean {
  return step === 0 || step === totalSteps || (step - 1) % every === 0;
}
