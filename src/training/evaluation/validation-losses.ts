import type { HistoryEntry } from '../history-entry.ts';

export interface ValidationLoss {
  readonly step: number;
  readonly loss: number;
}

/** The validation losses in a history, in the order in which they were measured. */
export function validationLosses(history: readonly HistoryEntry[]): readonly ValidationLoss[] {
  return history.flatMap((entry) =>
    entry.type === 'evaluation' && entry.validation_loss !== undefined
      ? [{ step: entry.step, loss: entry.validation_loss }]
      : [],
  );
}

/** The step with the lowest loss; the earliest of equals. */
export function bestStep(losses: readonly ValidationLoss[]): number | undefined {
  const best = losses.reduce<ValidationLoss | undefined>(
    (best, next) => (best === undefined || next.loss < best.loss ? next : best),
    undefined,
  );
  return best?.step;
}

interface Patience {
  readonly patience: number;
  /** By how much a loss must fall below the best so far to count as better. */
  readonly min_delta: number;
}

/** Whether the last `patience` losses in a row were no better than the best before them. */
export function isPatienceSpent(
  losses: readonly ValidationLoss[],
  { patience, min_delta }: Patience,
): boolean {
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  for (const { loss } of losses) {
    const better = loss < best - min_delta;
    waited = better ? 0 : waited + 1;
    if (better) best = loss;
  }
  return waited >= patience;
}
