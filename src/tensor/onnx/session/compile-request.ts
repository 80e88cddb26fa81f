import type { GraphPlan } from '../graph/graph-plan.ts';
import type { GraphValue } from '../graph/graph-value.ts';
import { encodeModel, valueName } from '../model/encode-model.ts';
import type { CompileRequest, GraphOutput, NamedWeight } from './graph-runner.ts';

/** What a runner needs to compile a plan. */
export function compileRequest(plan: GraphPlan): CompileRequest {
  return {
    model: encodeModel(plan),
    inputs: plan.inputs.map(valueName),
    outputs: plan.outputs.map((value) => outputOf(value, plan)),
    weights: plan.weights.map(weightOf),
  };
}

function outputOf(value: GraphValue, { inputs }: GraphPlan): GraphOutput {
  const { shape, type, overwrites } = value;
  const output = { name: valueName(value), shape, type };
  return overwrites === null ? output : { ...output, overwrites: inputs.indexOf(overwrites) };
}

function weightOf(value: GraphValue): NamedWeight {
  const { shape, type, data } = value;
  if (data === null) throw new Error(`The weight ${value.weight} has no data.`);
  return { name: valueName(value), tensor: { shape, type, data } };
}
