import type { DagNode } from '../graph/dag.ts';
import type { PortContent } from '../key/digest.ts';
import type { CacheKey } from '../key/key-material.ts';
import type { Remotes } from '../sharing/remotes.ts';
import { readRecord } from '../store/action-records.ts';
import { type Decision, decideStage, type PlanningContext } from './decide.ts';
import type { Lock } from './lock.ts';

interface Learning {
  readonly nodes: ReadonlyMap<string, DagNode>;
  readonly context: PlanningContext;
  readonly lock: Lock | undefined;
  readonly remotes: Remotes;
  readonly signal: AbortSignal;
}

/**
 * Asks remotes for the records that the store lacks. With a lock, whose keys are known in advance, that is one question;
 * what the lock does not know takes one more for each level of the graph. Uses no network if every record is here.
 */
export async function learnRecords({ nodes, context, lock, remotes, signal }: Learning): Promise<void> {
  const { store, forced } = context;
  const locked = [...nodes.keys()].flatMap((id) => {
    const key = forced.has(id) ? undefined : lock?.stages.get(id)?.key;
    return key === undefined || readRecord(store, key).kind === 'usable' ? [] : [key];
  });
  for (let keys = [...locked, ...(await unknownKeys(nodes, context))]; keys.length > 0; ) {
    const learned = await remotes.learn(store, keys, signal);
    if (learned === 0 || signal.aborted) return;
    keys = [...(await unknownKeys(nodes, context))];
  }
}

/** The keys of the stages that would run, as far as they can be known now. */
async function unknownKeys(
  nodes: ReadonlyMap<string, DagNode>,
  context: PlanningContext,
): Promise<readonly CacheKey[]> {
  const known = new Map<string, Readonly<Record<string, PortContent>>>();
  const keys: CacheKey[] = [];
  for (const [id, node] of nodes) {
    const decision = await decideStage({ node, known }, context);
    if (decision.kind === 'reuse') known.set(id, decision.record.outputs);
    else keys.push(...askableKey(decision));
  }
  return keys;
}

/** The key to ask remotes for before a stage runs. A forced stage runs whatever they have. */
export const askableKey = (decision: Decision): readonly CacheKey[] =>
  decision.kind === 'run' && decision.reason.kind !== 'forced' ? [decision.key] : [];
