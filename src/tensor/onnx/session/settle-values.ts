import type { HostArray } from '../graph/element-type.ts';
import type { GraphPlan } from '../graph/graph-plan.ts';
import type { GraphValue } from '../graph/graph-value.ts';
import type { HostTensor } from './graph-runner.ts';

/** What a planned graph starts from; throws where that could not be computed. */
export function inputsOf({ inputs }: GraphPlan): HostTensor[] {
  return inputs.map((value) => {
    if (value.failure !== null) throw value.failure;
    if (value.data === null) throw new Error('A value was recorded that nothing computes.');
    return { shape: value.shape, type: value.type, data: value.data };
  });
}

/** Leaves the results of a run with the values that stand for them. */
export function settleAll({ outputs }: GraphPlan, results: readonly HostArray[]): void {
  outputs.forEach((value, i) => {
    settle(value, results[i] ?? new Error('The engine gave fewer results than the graph has outputs.'));
  });
}

/** Leaves the reason why there are none. */
export function failAll({ outputs }: GraphPlan, cause: unknown): void {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const failure = new Error(`The tensors that were waiting could not be computed: ${reason}`, { cause });
  for (const value of outputs) settle(value, failure);
}

/** From here on the value stands by itself: the nodes behind it are gone. */
function settle(value: GraphValue, outcome: HostArray | Error): void {
  if (value.data !== null) return; // computed by another run meanwhile
  if (outcome instanceof Error) value.failure = outcome;
  else value.data = outcome;
  value.producer = null;
  value.views = null;
}
