interface Moment {
  /** How many steps have been taken. */
  readonly step: number;
  readonly every: number;
}

/**
 * Losses are measured before training, after the first step and every `every` steps from there, as in
 * LLMs-from-scratch, whose count of steps begins with 0. The last weights are judged too, whenever they come.
 */
export function isEvaluationDue({ step, every }: Moment): boolean {
  return step === 0 || (step - 1) % every === 0;
}
