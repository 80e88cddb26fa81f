import type { Json, JsonObject } from '../../json.ts';
import {
  compareMaterial,
  type RunRecord,
  readRecord,
  type StageOutcome,
  type Store,
} from '../../runtime/index.ts';
import { fieldOf } from '../explain/field-of.ts';
import { compareAnswers } from './compare-answers.ts';
import { compareMetrics } from './compare-metrics.ts';
import type { ComparedRun, FieldChange, RunDifference, StageDifference } from './run-difference.ts';

export interface RunPair {
  readonly before: RunRecord;
  readonly after: RunRecord;
}

/** Compares two runs by what is on record of them and by the results that the store still has. */
export async function compareRuns(store: Store, pair: RunPair): Promise<RunDifference> {
  const { before, after } = pair;
  return {
    before: comparedRun(before),
    after: comparedRun(after),
    params: compareParams(before.params, after.params),
    stages: stagesOf(pair).map((stage) => compareStage(store, { stage, ...pair })),
    metrics: await compareMetrics(store, pair),
    answers: await compareAnswers(store, pair),
  };
}

const comparedRun = ({ run, pipeline, startedAt, outcome }: RunRecord): ComparedRun => ({
  run,
  pipeline,
  started_at: startedAt,
  outcome,
});

/** Every stage of the two runs: in the later one's order, then what only the earlier one has. */
export const stagesOf = ({ before, after }: RunPair): readonly string[] => [
  ...new Set([...Object.keys(after.stages), ...Object.keys(before.stages)]),
];

function compareParams(before: JsonObject, after: JsonObject): readonly FieldChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names
    .map((field) => ({ field, ...sides(own(before, field), own(after, field)) }))
    .filter((change) => JSON.stringify(change.before) !== JSON.stringify(change.after));
}

function compareStage(store: Store, { stage, before, after }: RunPair & { stage: string }): StageDifference {
  const [old, current] = [own(before.stages, stage), own(after.stages, stage)];
  if (old === undefined || current === undefined)
    return { stage, change: old === undefined ? 'added' : 'removed', fields: [] };
  if (!('key' in old) || !('key' in current)) return { stage, change: 'unknown', fields: [] };
  const other = otherResults(old, current);
  const results = other === undefined ? {} : { other_results: other };
  if (old.key === current.key) return { stage, change: 'same', fields: [], ...results };
  const [oldRecord, record] = [readRecord(store, old.key), readRecord(store, current.key)];
  if (oldRecord.kind !== 'usable' || record.kind !== 'usable')
    return { stage, change: 'unknown', fields: [], ...results };
  const fields = compareMaterial(oldRecord.record.material, record.record.material).map((difference) => ({
    field: fieldOf(difference),
    ...sides(difference.before, difference.after),
  }));
  return { stage, change: 'changed', fields, ...results };
}

const otherResults = (before: StageOutcome, after: StageOutcome): boolean | undefined =>
  'outputs' in before && 'outputs' in after
    ? JSON.stringify(before.outputs) !== JSON.stringify(after.outputs)
    : undefined;

const sides = (before: Json | undefined, after: Json | undefined): { before?: Json; after?: Json } => ({
  ...(before === undefined ? {} : { before }),
  ...(after === undefined ? {} : { after }),
});

/** A member of the object itself: a stage may be called `constructor`. */
const own = <T>(object: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;
