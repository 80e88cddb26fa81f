import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode } from '../graph/dag.ts';
import type { PortContent } from '../key/digest.ts';
import type { SourceDigests } from '../key/key-material.ts';
import type { Remotes } from '../sharing/remotes.ts';
import type { ActionRecord } from '../store/action-records.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { Store } from '../store/store.ts';
import { type Decision, decideStage, type PlanningContext } from './decide.ts';
import { inspectSources } from './inspect-sources.ts';
import { lockedDigests, readLock } from './lock.ts';
import { PastRuns } from './past-runs.ts';
import { readModules } from './read-modules.ts';
import { type StageSelection, selectStages, stagesForced } from './select-stages.ts';
import { digestSources, knownResolutions, remoteSources } from './source-digests.ts';

/**
 * What a run would do now. Without `remotes` it writes nothing but the store's stat cache and uses no network; with them, it
 * also keeps the records that they give.
 */
export async function planPipeline(
  request: StageSelection & { readonly dag: Dag; readonly store: Store; readonly remotes?: Remotes },
): Promise<Result<Plan, readonly Diagnostic[]>> {
  const { dag, store } = request;
  const selected = selectStages(dag, request);
  const nodes = selected.ok ? await readModules(selected.value, store) : selected;
  if (!nodes.ok) return nodes;
  const resolutions = plannedResolutions([...nodes.value.values()], { dag, store });
  if (!resolutions.ok) return resolutions;
  const sources = await digestSources(nodes.value.values(), {
    store,
    resolutions: resolutions.value,
    locked: lockedDigests(dag.file),
  });
  if (!sources.ok) return sources;
  const past = new PastRuns(store);
  const context = { dag, store, sources: sources.value, past, forced: stagesForced(request) };
  const { remotes } = request;
  if (remotes !== undefined) {
    const lock = readLock(dag);
    if (!lock.ok) return err([lock.error]);
    const { learnRecords } = await import('./learn-records.ts');
    await learnRecords({ nodes: nodes.value, context, lock: lock.value, remotes, signal: never });
  }
  const problems = await inspectSources(nodes.value.values(), context);
  if (problems.length > 0) return err(problems);
  const stages = await planStages(nodes.value, context);
  await store.statCache.save();
  return ok({ stages, sources: sources.value });
}

const never = new AbortController().signal;

async function planStages(
  nodes: ReadonlyMap<string, DagNode>,
  context: PlanningContext,
): Promise<ReadonlyMap<string, PlannedStage>> {
  const known = new Map<string, Readonly<Record<string, PortContent>>>();
  const stages = new Map<string, PlannedStage>();
  for (const [id, node] of nodes) {
    const decision = await decideStage({ node, known }, context);
    if (decision.kind === 'reuse') known.set(id, decision.record.outputs);
    const last = lastRecord({ node, decision }, context);
    stages.set(id, { node, decision, lastMilliseconds: last?.provenance.milliseconds });
  }
  return stages;
}

function lastRecord(
  { node, decision }: { readonly node: DagNode; readonly decision: Decision },
  { dag, past }: PlanningContext,
): ActionRecord | undefined {
  if (decision.kind === 'reuse') return decision.record;
  const nearest = past.nearest({ pipeline: dag.name, id: node.id, uses: node.definition.name });
  return nearest?.isItself ? nearest.record : undefined;
}

/** What a run would do now, as far as it can be known in advance. */
export interface Plan {
  /** The selected stages, in topological order. */
  readonly stages: ReadonlyMap<string, PlannedStage>;
  readonly sources: SourceDigests;
}

export interface PlannedStage {
  readonly node: DagNode;
  readonly decision: Decision;
  /** How long the stage took when it last ran. */
  readonly lastMilliseconds: number | undefined;
}

/** As knownResolutions; reads the lock only if a source is remote. */
function plannedResolutions(
  nodes: readonly DagNode[],
  { dag, store }: { readonly dag: Dag; readonly store: Store },
): Result<Resolutions, readonly Diagnostic[]> {
  const fields = remoteSources(nodes);
  if (fields.length === 0) return ok(new Map());
  const lock = readLock(dag);
  if (!lock.ok) return { ok: false, error: [lock.error] };
  return ok(knownResolutions(fields, { dag, lock: lock.value, store }));
}
