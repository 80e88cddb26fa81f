import type { Score } from '../../metrics/index.ts';
import {
  contentState,
  type Dag,
  type DagNode,
  type Digest,
  openContent,
  type RunResult,
  type Store,
} from '../../runtime/index.ts';
import { portCodecs } from '../../stages/index.ts';

/** The outputs of a run in the order of its stages, without those that have parts. */
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

/** Those whose bytes are here: what only a remote has is not fetched to be summarized. */
export async function presentOutputs<Output extends { readonly digest: Digest }>(
  store: Store,
  outputs: readonly Output[],
): Promise<readonly Output[]> {
  const present: Output[] = [];
  for (const output of outputs)
    if ((await contentState(store, output.digest)) === 'present') present.push(output);
  return present;
}

/** Reads an output from the store; the content may be gone after `read`. */
export async function readOutput<Value>(
  { store, digest }: { store: Store; digest: Digest },
  read: (path: string) => Promise<Value>,
): Promise<Value> {
  await using content = await openContent(store, digest);
  return await read(content.path);
}

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

export interface StageScores {
  readonly stage: string;
  readonly metrics: readonly Score[];
}

/** The metrics of every evaluation among the outputs. */
export async function collectScores(
  store: Store,
  outputs: readonly NamedOutput[],
): Promise<readonly StageScores[]> {
  const evaluations = outputs.filter(({ type }) => type === 'scores');
  return await Promise.all(
    evaluations.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => {
        const { metrics } = await portCodecs.scores.read(path).read();
        return { stage: node.id, metrics };
      }),
    ),
  );
}
