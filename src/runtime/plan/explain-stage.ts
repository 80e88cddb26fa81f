import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { err, ok, own, type Result } from '../../core/index.ts';
import { type Diagnostic, listOf, quoted, type Span } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode } from '../graph/dag.ts';
import { compareMaterial, type Difference } from '../key/compare-material.ts';
import { keyMaterialOf } from '../key/key-material.ts';
import { readModule } from '../module/find-modules.ts';
import type { ActionRecord } from '../store/action-records.ts';
import type { Store } from '../store/store.ts';
import type { Decision } from './decide.ts';
import { PastRuns } from './past-runs.ts';
import { type Plan, planPipeline } from './plan-pipeline.ts';
import { stagesCalled } from './select-stages.ts';

/** Why a stage would run or not: its key compared with the nearest past run's, field by field. */
export interface Explanation {
  readonly stage: string;
  readonly decision: Decision;
  /** Undefined if nothing comparable has run before. */
  readonly comparedWith: ActionRecord | undefined;
  /** Empty if the stage is reused. While it waits for others, the differences known so far. */
  readonly differences: readonly ExplainedDifference[];
}

export type ExplainedDifference = Difference & {
  /** The place of the cause: the value, the port's binding, or the module of a user's stage. */
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
  const differences = await Promise.all(
    differencesOf(planned, { plan: plan.value, own }).map(async (difference) => ({
      ...difference,
      span: await spanOfDifference(difference, node),
    })),
  );
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
  if (decision.kind === 'undecided' || !('match' in decision.reason)) return undefined;
  return decision.reason.match?.comparedWith;
}

function differencesOf(
  { node, decision }: { readonly node: DagNode; readonly decision: Decision },
  { plan, own }: { readonly plan: Plan; readonly own: ActionRecord | undefined },
): readonly Difference[] {
  switch (decision.kind) {
    case 'reuse':
      return [];
    case 'run':
      return 'match' in decision.reason ? (decision.reason.match?.differences ?? []) : [];
    case 'undecided': {
      // A source without content cannot be compared.
      if (own === undefined || decision.unresolved.length > 0) return [];
      // The inputs are not known yet; they are assumed unchanged.
      const material = keyMaterialOf({ node, inputs: own.material.inputs, sources: plan.sources });
      return compareMaterial(own.material, material);
    }
    default:
      return decision satisfies never;
  }
}

async function spanOfDifference(difference: Difference, node: DagNode): Promise<Span> {
  switch (difference.kind) {
    case 'config':
    case 'source':
      return node.spanOf(difference.pointer);
    case 'input':
      return own(node.inputs, difference.port)?.span ?? node.spanOf();
    case 'code':
      return spanOfCode(difference.module, node);
    case 'version':
      return node.declaredAt?.('version') ?? usesOf(node);
    case 'uses':
    case 'format':
      return usesOf(node);
    default:
      return difference satisfies never;
  }
}

const usesOf = (node: DagNode): Span => node.usesSpan ?? node.spanOf();

/** A module that is gone is shown at the entry module, which no longer imports it. */
async function spanOfCode(module: string, node: DagNode): Promise<Span> {
  const { code } = node.definition;
  if (code === undefined || module.startsWith('npm:')) return usesOf(node);
  if (module === 'ports') return node.declaredAt?.('ports') ?? usesOf(node);
  const [importer = ''] = module.split(' > ');
  const path = resolve(dirname(code.entry), importer);
  const file = await readModule(existsSync(path) ? path : code.entry, node.spanOf());
  return { file, start: 0, end: 0 };
}
