import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import { quoted } from '../diagnostic/wording.ts';
import type { DagNode } from './dag.ts';
import type { CrossedInput } from './follow-reference.ts';
import type { Border } from './link-stages.ts';
import { resolveReference } from './resolve-reference.ts';

type Nodes = ReadonlyMap<string, DagNode>;

/** Whether what sub-pipelines are given is what they declare that they take. A mistake that is handed on is told once. */
export const checkBorders = (borders: readonly Border[], nodes: Nodes): readonly Diagnostic[] =>
  borders.flatMap(({ into, crossed }) => {
    if (crossed.some((before) => borderMistake(before, nodes) !== undefined)) return [];
    return borderMistake(into, nodes) ?? [];
  });

/** Undefined too where the stage that is bound has mistakes of its own. */
export function borderMistake(
  { input, binding, stage, target }: CrossedInput,
  nodes: Nodes,
): Diagnostic | undefined {
  const node = nodes.get(target.stage);
  if (node === undefined) return undefined;
  const { reference, span } = binding;
  const resolved = resolveReference({ text: reference, span, ...target }, node);
  if (!resolved.ok) return resolved.error;
  const type = node.ports.outputs[resolved.value.output]?.type ?? '';
  if (input.type === type || input.type === 'file') return undefined;
  return {
    code: 'type-mismatch',
    message: `${quoted(input.name)} of stage ${quoted(stage)} takes ${quoted(input.type)}, and ${quoted(reference)} is of type ${quoted(type)}`,
    span,
    related: { span: input.span, message: 'the input is declared here' },
  };
}
