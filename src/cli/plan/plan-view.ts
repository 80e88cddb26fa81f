import { describeRun, describeWaiting, type Plan, type PlannedStage } from '../../runtime/index.ts';

/** What a run would do, for people and programs. */
export interface PlanView {
  readonly pipeline: string;
  readonly stages: readonly StageView[];
}

export interface StageView {
  readonly stage: string;
  readonly uses: string;
  readonly decision: PlannedStage['decision']['kind'];
  /** Why it would run, or what it waits for; absent where it is reused. */
  readonly reason?: string;
  readonly waits_for?: readonly string[];
  /** Addresses of remote sources that have not been resolved yet. */
  readonly unresolved?: readonly string[];
  readonly key?: string;
  /** Bytes that it is expected to take at its peak, where that is known before. */
  readonly expected_memory?: number;
  /** How long it took when it last ran. */
  readonly last_milliseconds?: number;
}

interface Planned {
  readonly plan: Plan;
  /** Stage -> bytes. */
  readonly memory: ReadonlyMap<string, number>;
}

export function planView(pipeline: string, { plan, memory }: Planned): PlanView {
  return {
    pipeline,
    stages: [...plan.stages.values()].map((stage) => {
      const expected = memory.get(stage.node.id);
      return { ...stageView(stage), ...(expected === undefined ? {} : { expected_memory: expected }) };
    }),
  };
}

function stageView({ node, decision, lastMilliseconds }: PlannedStage): StageView {
  return {
    stage: node.id,
    uses: node.definition.name,
    decision: decision.kind,
    ...why(decision),
    ...(lastMilliseconds === undefined ? {} : { last_milliseconds: lastMilliseconds }),
  };
}

function why(decision: PlannedStage['decision']): Partial<StageView> {
  switch (decision.kind) {
    case 'reuse':
      return { key: decision.key };
    case 'run':
      return { key: decision.key, reason: describeRun(decision) };
    case 'undecided':
      return {
        reason: describeWaiting(decision),
        waits_for: decision.waitsFor,
        ...(decision.unresolved.length > 0 && { unresolved: decision.unresolved }),
      };
    default:
      return decision satisfies never;
  }
}
