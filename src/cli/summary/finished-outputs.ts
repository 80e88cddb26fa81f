import {
  type Dag,
  type DagNode,
  type Digest,
  openContent,
  type RunResult,
  type Store,
} from '../../runtime/index.ts';

/** One output of a stage, by the stage's id. */
export interface NamedOutput {
  readonly node: Pick<DagNode, 'id'>;
  readonly type: string;
  readonly digest: Digest;
}

/** One output of a stage that ran or was reused. */
export interface FinishedOutput extends NamedOutput {
  readonly node: DagNode;
}

/** The outputs that a run ended with, in the stages' order; outputs with parts are left out. */
export function finishedOutputs(dag: Dag, { stages }: RunResult): readonly FinishedOutput[] {
  return [...stages].flatMap(([id, outcome]) => {
    const node = dag.nodes.get(id);
    if (!node || (outcome.decision !== 'ran' && outcome.decision !== 'reused')) return [];
    return Object.entries(outcome.outputs).flatMap(([name, content]) => {
      const type = node.ports.outputs[name]?.type;
      return type === undefined || typeof content !== 'string' ? [] : [{ node, type, digest: content }];
    });
  });
}

/** Reads an output from the store while `read` lasts. */
export async function readOutput<Value>(
  { store, digest }: { store: Store; digest: Digest },
  read: (path: string) => Promise<Value>,
): Promise<Value> {
  await using content = await openContent(store, digest);
  return await read(content.path);
}
