import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode } from '../graph/dag.ts';
import { ok, type Result } from '../result.ts';
import type { ActionRecord } from '../store/action-record.ts';
import type { PortContent } from '../store/digest.ts';
import type { Store } from '../store/store.ts';
import type { Decision } from './decision.ts';
import { plannedResolutions } from './known-resolutions.ts';
import { PastRuns } from './past-runs.ts';
import type { Plan, PlannedStage } from './plan.ts';
import { readModules } from './read-modules.ts';
import { type StageSelection, selectStages, stagesForced } from './select-stages.ts';
import { digestSources } from './source-digests.ts';
import { type Circumstances, decideStage } from './stage-planner.ts';

/** What a run would do now. Writes nothing but the store's stat cache. */
export async function planPipeline(
  request: StageSelection & { readonly dag: Dag; readonly store: Store },
): Promise<Result<Plan, readonly Diagnostic[]>> {
  const { dag, store } = request;
  const selected = selectStages(dag, request);
  const nodes = selected.ok ? await readModules(selected.value, store) : selected;
  if (!nodes.ok) return nodes;
  const resolutions = plannedResolutions([...nodes.value.values()], { dag, store });
  if (!resolutions.ok) return resolutions;
  const sources = await digestSources(nodes.value.values(), { store, resolutions: resolutions.value });
  if (!sources.ok) return sources;
  const past = new PastRuns(store);
  const circumstances = { dag, store, sources: sources.value, past, forced: stagesForced(request) };
  const stages = await planStages(nodes.value, circumstances);
  await store.statCache.save();
  return ok({ stages, sources: sources.value });
}

async function planStages(
  nodes: ReadonlyMap<string, DagNode>,
  circumstances: Circumstances,
): Promise<ReadonlyMap<string, PlannedStage>> {
  const known = new Map<string, Readonly<Record<string, PortContent>>>();
  const stages = new Map<string, PlannedStage>();
  for (const [id, node] of nodes) {
    const decision = await decideStage({ node, known }, circumstances);
    if (decision.kind === 'reuse') known.set(id, decision.record.outputs);
    const last = lastRecord({ node, decision }, circumstances);
    stages.set(id, { node, decision, lastMilliseconds: last?.provenance.milliseconds });
  }
  return stages;
}

function lastRecord(
  { node, decision }: { readonly node: DagNode; readonly decision: Decision },
  { dag, past }: Circumstances,
): ActionRecord | undefined {
  if (decision.kind === 'reuse') return decision.record;
  const nearest = past.nearest({ pipeline: dag.name, id: node.id, uses: node.definition.name });
  return nearest?.isItself ? nearest.record : undefined;
}
