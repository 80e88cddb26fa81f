import type { Dag, DagNode, InputBinding } from '../../runtime/graph/dag.ts';

/** A DAG as it is drawn: stages, and what flows from one to the next. */
export interface GraphView {
  readonly pipeline: string;
  readonly stages: readonly GraphStage[];
  readonly edges: readonly GraphEdge[];
}

export interface GraphStage {
  readonly id: string;
  readonly uses: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly parts: readonly string[];
  }[];
}

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly output: string;
  readonly part?: string;
}

export function graphView(dag: Dag): GraphView {
  const nodes = [...dag.nodes.values()];
  return {
    pipeline: dag.name,
    stages: nodes.map(stageOf),
    edges: nodes.flatMap((node) =>
      Object.entries(node.inputs).map(([port, binding]) => edgeOf({ to: node.id, port, binding })),
    ),
  };
}

function stageOf({ id, definition, ports, outputParts }: DagNode): GraphStage {
  const outputs = Object.entries(ports.outputs).map(([name, { type }]) => ({
    name,
    type,
    parts: outputParts[name] ?? [],
  }));
  return { id, uses: definition.name, outputs };
}

function edgeOf({ to, port, binding }: { to: string; port: string; binding: InputBinding }): GraphEdge {
  const { stage, output, part } = binding;
  return { from: stage, to, port, output, ...(part === undefined ? {} : { part }) };
}
