import { isObject, type Json, type JsonObject } from '../core/index.ts';
import {
  type ActionRecord,
  digestsAt,
  type Failure,
  type PortContent,
  type RunRecord,
  readRecord,
  type StageOutcome,
  type Store,
} from '../runtime/index.ts';
import { edgesOf, type StageEdge } from './stage-edges.ts';

/** What a run was: everything that its record and those of its stages say. */
export interface RunView {
  readonly run: string;
  readonly pipeline: string;
  /** The pipeline file, from the store's parent folder. */
  readonly file: string;
  readonly params: JsonObject;
  readonly overridden: boolean;
  /** Empty: the whole pipeline. */
  readonly targets: readonly string[];
  /** ISO 8601, UTC. */
  readonly started_at: string;
  readonly milliseconds: number;
  readonly outcome: RunRecord['outcome'];
  /** The machine of the run; a reused stage may have run on another. */
  readonly machine: Readonly<Record<string, Json>>;
  readonly stages: readonly StageView[];
  readonly edges: readonly StageEdge[];
}

export interface StageView {
  readonly id: string;
  readonly uses: string;
  readonly decision: StageOutcome['decision'];
  /** Why it ran or was skipped. */
  readonly because?: string;
  /** How long its result took to compute; for a reused result, when it was made. */
  readonly milliseconds?: number;
  readonly attempts?: number;
  readonly key?: string;
  /** The configuration in its key: defaults filled in, sources as `{"$content": digest}`. Absent if gc removed the record. */
  readonly config?: JsonObject;
  readonly outputs: readonly OutputView[];
  readonly measurements: Readonly<Record<string, Json>>;
  /** Engine, device and versions with which its result was made. */
  readonly machine?: Readonly<Record<string, Json>>;
  /** The run that made its result, if it is not this one. */
  readonly made_by?: string;
  readonly warnings: readonly string[];
  readonly failure?: Failure;
}

export interface OutputView {
  readonly name: string;
  readonly part?: string;
  readonly digest: string;
}

/** Reads what a run was from the store. Records that are gone leave fields out; nothing throws for them. */
export function viewRun(store: Store, record: RunRecord): RunView {
  const { run, pipeline, file, params, overridden, targets, startedAt, milliseconds, outcome } = record;
  const stages = Object.entries(record.stages);
  const actions = new Map(stages.map(([id, stage]) => [id, actionOf(store, stage)] as const));
  return {
    ...{ run, pipeline, file, params, overridden, targets, started_at: startedAt, milliseconds, outcome },
    machine: plainFields(record.fingerprint),
    stages: stages.map(([id, stage]) => viewStage({ id, stage, run, action: actions.get(id) })),
    edges: edgesOf(store, record),
  };
}

function actionOf(store: Store, stage: StageOutcome): ActionRecord | undefined {
  if (!('key' in stage)) return undefined;
  const found = readRecord(store, stage.key);
  return found.kind === 'usable' ? found.record : undefined;
}

function viewStage({
  id,
  stage,
  run,
  action,
}: {
  readonly id: string;
  readonly stage: StageOutcome;
  readonly run: string;
  readonly action: ActionRecord | undefined;
}): StageView {
  const provenance = action?.provenance;
  const took = 'milliseconds' in stage ? stage.milliseconds : provenance?.milliseconds;
  const because = 'reason' in stage ? stage.reason : stage.decision === 'skipped' ? stage.because : undefined;
  const measurements = 'measurements' in stage ? stage.measurements : (action?.measurements ?? {});
  return {
    ...{ id, uses: stage.uses, decision: stage.decision },
    ...(because === undefined ? {} : { because }),
    ...(typeof took === 'number' ? { milliseconds: took } : {}),
    ...('attempts' in stage ? { attempts: stage.attempts } : {}),
    ...('key' in stage ? { key: stage.key } : {}),
    ...(action && { config: action.material.config }),
    outputs: 'outputs' in stage ? outputsOf(stage.outputs) : [],
    measurements,
    ...(isObject(provenance?.fingerprint) && { machine: plainFields(provenance.fingerprint) }),
    ...(stage.decision === 'reused' && typeof provenance?.run === 'string' && provenance.run !== run
      ? { made_by: provenance.run }
      : {}),
    warnings: action?.warnings?.map(({ message }) => message) ?? [],
    ...(stage.decision === 'failed' ? { failure: stage.failure } : {}),
  };
}

const outputsOf = (outputs: Readonly<Record<string, PortContent>>): readonly OutputView[] =>
  Object.entries(outputs).flatMap(([name, content]) =>
    [...digestsAt(content)].map(({ digest, part }) => ({
      name,
      ...(part === undefined ? {} : { part }),
      digest,
    })),
  );

/** The texts and numbers of a record that anyone may have written. */
const plainFields = (fields: object): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => typeof value === 'string' || typeof value === 'number'),
  );
