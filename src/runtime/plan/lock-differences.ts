import { canonicalJson } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode } from '../graph/dag.ts';
import type { PortContent } from '../key/digest.ts';
import { cacheKeyOf, keyMaterialOf, type SourceDigests } from '../key/key-material.ts';
import type { StageOutcome } from '../store/run-records.ts';
import { inputsOf } from './decide.ts';
import { type Lock, lockedName } from './lock.ts';

/** Where a pipeline differs from its lock, before anything runs: its sources, or else its stages. */
export function lockDifferences(pipeline: {
  readonly dag: Dag;
  readonly lock: Lock | undefined;
  readonly sources: SourceDigests;
}): readonly Diagnostic[] {
  const { dag, lock, sources } = pipeline;
  if (lock === undefined) {
    const help = 'run it once without --locked, and commit the lock that this writes';
    return [{ code: 'missing-lock', message: `the pipeline ${dag.name} has no lock`, help }];
  }
  const changed = [...dag.nodes.values()].flatMap((node) => changedSources(node, { dag, lock, sources }));
  if (changed.length > 0) return changed;
  // A sweep locks only its sources.
  if (dag.points !== undefined) return [];
  const known = new Map([...lock.stages].map(([id, { outputs }]): [string, Outputs] => [id, outputs]));
  return [...dag.nodes.values()].flatMap((node) => changedStage(node, { lock, sources, known }));
}

type Outputs = Readonly<Record<string, PortContent>>;

function changedSources(
  node: DagNode,
  { dag, lock, sources }: { readonly dag: Dag; readonly lock: Lock; readonly sources: SourceDigests },
): readonly Diagnostic[] {
  return node.sources.flatMap((field) => {
    const { path, span } = field;
    const name = lockedName(dag, field);
    if (!sources.has(path) || lock.sources.get(name)?.digest === sources.get(path)) return [];
    const message = `\`${name}\` is not the file that the lock names`;
    return [
      {
        code: 'differs-from-lock',
        message,
        span,
        help: 'restore it, or run without --locked to update the lock',
      },
    ];
  });
}

/** Computes the stage's key as if all stages before it gave the locked outputs. */
function changedStage(
  node: DagNode,
  at: {
    readonly lock: Lock;
    readonly sources: SourceDigests;
    readonly known: ReadonlyMap<string, Outputs>;
  },
): readonly Diagnostic[] {
  const locked = at.lock.stages.get(node.id);
  const inputs = inputsOf(node, at.known);
  if (inputs.kind === 'open' || node.sources.some(({ path }) => !at.sources.has(path))) return [];
  if (node.definition.code !== undefined && node.modules === undefined) return [];
  const key = cacheKeyOf(keyMaterialOf({ node, inputs: inputs.contents, sources: at.sources }));
  if (locked?.key === key) return [];
  const message = `stage \`${node.id}\` is not ${locked === undefined ? 'in the lock' : 'what the lock says'}`;
  const help = 'undo the change, or run without --locked to update the lock';
  return [{ code: 'differs-from-lock', message, span: node.spanOf(), help }];
}

/** The stages whose results differ from the lock, although data and configuration are the same. */
export function differingStages(
  lock: Lock | undefined,
  outcomes: ReadonlyMap<string, StageOutcome>,
): readonly string[] {
  return [...outcomes]
    .filter(([id, outcome]) => {
      const locked = lock?.stages.get(id);
      if (locked === undefined || !('outputs' in outcome)) return false;
      return canonicalJson(locked.outputs) !== canonicalJson(outcome.outputs);
    })
    .map(([id]) => id);
}
