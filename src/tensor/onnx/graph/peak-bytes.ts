import { ELEMENT_BYTES } from './element-type.ts';
import type { GraphPlan } from './graph-plan.ts';
import { type GraphValue, sizeOf } from './graph-value.ts';

/** Bytes that the values of a plan take at the worst moment, each freed after its last use. */
export function peakBytes({ nodes, outputs }: GraphPlan): number {
  const lastUse = new Map<GraphValue, number>();
  nodes.forEach((node, i) => {
    for (const value of [...node.inputs, ...node.outputs]) if (value.producer !== null) lastUse.set(value, i);
  });
  for (const value of outputs) lastUse.set(value, nodes.length);
  let held = 0;
  let peak = 0;
  nodes.forEach((node, i) => {
    for (const value of node.outputs) held += bytesOf(value);
    peak = Math.max(peak, held);
    for (const value of new Set([...node.inputs, ...node.outputs])) {
      if (lastUse.get(value) === i) held -= bytesOf(value);
    }
  });
  return peak;
}

function bytesOf({ shape, type }: GraphValue): number {
  return sizeOf(shape) * ELEMENT_BYTES[type];
}
