import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { listOf, quoted } from '../diagnostic/wording.ts';
import type { Dag, DagNode } from '../graph/dag.ts';
import { compareMaterial, type Difference } from '../key/compare-material.ts';
import { keyMaterialOf } from '../key/key-material.ts';
import { err, ok, type Result } from '../result.ts';
import type { ActionRecord } from '../store/action-record.ts';
import type { Store } from '../store/store.ts';
import type { Decision } from './decision.ts';
import { PastRuns } from './past-runs.ts';
import type { Plan } from './plan.ts';
import { planPipeline } from './plan-pipeline.ts';
import { stagesCalled } from './select-stages.ts';

/** Why a stage would run or not: its key against the nearest past run's, field by field. */
export interface Explanation {
  readonly stage: string;
  readonly decision: Decision;
  /** Absent: nothing comparable has run before. */
  readonly comparedWith: ActionRecord | undefined;
  /** Empty where it is reused. While the stage waits for others, what differs already. */
  readonly differences: readonly ExplainedDifference[];
}

export type ExplainedDifference = Difference & {
  /** Where the field, or what is bound to the port, stands in the YAML. */
  readonly span: Span;
};

/** Explains a stage of a pipeline. Writes nothing but the store's stat cache. */
export async function explainStage(request: {
  readonly dag: Dag;
  readonly store: Store;
  readonly stage: string;
}): Promise<Result<Explanation, readonly Diagnostic[]>> {
  const { dag, store } = request;
  const [called, ...others] = stagesCalled(request.stage, dag);
  if (others.length > 0) return err([severalStages(request.stage, [called ?? '', ...others])]);
  const stage = called ?? request.stage;
  const plan = await planPipeline({ dag, store, targets: [stage] });
  if (!plan.ok) return plan;
  const planned = plan.value.stages.get(stage);
  if (planned === undefined) throw new Error(`the plan lacks its own target ${stage}`);
  const { node, decision } = planned;
  const nearest = new PastRuns(store).nearest({ pipeline: dag.name, id: stage, uses: node.definition.name });
  const own = nearest?.isItself === true ? nearest.record : undefined;
  const differences = differencesOf(planned, { plan: plan.value, own }).map((difference) => ({
    ...difference,
    span: spanOf(difference, node),
  }));
  const comparedWith = comparedIn(decision) ?? own;
  return ok({ stage, decision, comparedWith, differences });
}

const severalStages = (name: string, stages: readonly string[]): Diagnostic => ({
  code: 'several-stages',
  message: `${quoted(name)} stands for ${stages.length} stages, and one is explained at a time`,
  help: `name one of ${listOf(stages.slice(0, 12), 'and')}`,
});

function comparedIn(decision: Decision): ActionRecord | undefined {
  if (decision.kind === 'reuse') return decision.record;
  if (decision.kind === 'undecided' || !('likeness' in decision.reason)) return undefined;
  return decision.reason.likeness?.comparedWith;
}

function differencesOf(
  { node, decision }: { readonly node: DagNode; readonly decision: Decision },
  { plan, own }: { readonly plan: Plan; readonly own: ActionRecord | undefined },
): readonly Difference[] {
  switch (decision.kind) {
    case 'reuse':
      return [];
    case 'run':
      return 'likeness' in decision.reason ? (decision.reason.likeness?.differences ?? []) : [];
    case 'undecided': {
      // Without its content a source can be compared with nothing.
      if (own === undefined || decision.unresolved.length > 0) return [];
      // What it will be given is not known, so it is taken to be what it was.
      const material = keyMaterialOf({ node, inputs: own.material.inputs, sources: plan.sources });
      return compareMaterial(own.material, material);
    }
    default:
      return decision satisfies never;
  }
}

function spanOf(difference: Difference, node: DagNode): Span {
  switch (difference.kind) {
    case 'config':
    case 'source':
      return node.spanOf(difference.pointer);
    case 'input':
      return Object.hasOwn(node.inputs, difference.port)
        ? (node.inputs[difference.port]?.span ?? node.spanOf())
        : node.spanOf();
    case 'code':
    case 'uses':
    case 'version':
    case 'format':
      return node.spanOf();
    default:
      return difference satisfies never;
  }
}
