import { type Json, type JsonObject, own } from '../core/index.ts';
import type { Score } from '../metrics/index.ts';
import {
  compareMaterial,
  fieldOf,
  type RunRecord,
  readRecord,
  type StageOutcome,
  type Store,
  sides,
} from '../runtime/index.ts';
import { type AnswerChanges, compareAnswers, type RunPair, stagesOf } from './compare-answers.ts';
import { readScores } from './read-output.ts';
import { figureName } from './score-table.ts';

/** Compares two runs by their records and by the results that are still in the store. */
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

/** How two runs differ, for people and programs. */
export interface RunDifference {
  readonly before: ComparedRun;
  readonly after: ComparedRun;
  readonly params: readonly FieldChange[];
  /** In the order of the later run, then those of the earlier run alone. */
  readonly stages: readonly StageDifference[];
  readonly metrics: readonly MetricChange[];
  readonly answers: readonly AnswerChanges[];
}

export interface ComparedRun {
  readonly run: string;
  readonly pipeline: string;
  readonly started_at: string;
  readonly outcome: RunRecord['outcome'];
}

export interface FieldChange {
  /** A param's name, or a field as the YAML spells it: `with.optimizer.learning_rate`, `from.train`. */
  readonly field: string;
  readonly before?: Json;
  readonly after?: Json;
}

export interface StageDifference {
  readonly stage: string;
  /** `unknown`: one of the runs did not reach it, or its record is gone. */
  readonly change: 'same' | 'changed' | 'added' | 'removed' | 'unknown';
  readonly fields: readonly FieldChange[];
  /** Whether the results differ; undefined if one of the runs has none. */
  readonly other_results?: boolean;
}

export interface MetricChange {
  readonly stage: string;
  readonly metric: string;
  readonly of?: string;
  readonly before?: number;
  readonly after?: number;
  readonly delta?: number;
  /** Whether the change is an improvement; absent if there is none. */
  readonly better?: boolean;
}

const comparedRun = ({ run, pipeline, startedAt, outcome }: RunRecord): ComparedRun => ({
  run,
  pipeline,
  started_at: startedAt,
  outcome,
});

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

/** Every metric of the evaluations, before and after. */
async function compareMetrics(store: Store, pair: RunPair): Promise<readonly MetricChange[]> {
  const changes: MetricChange[] = [];
  for (const stage of stagesOf(pair)) {
    const [before, after] = [
      (await readScores(store, { run: pair.before, stage }))?.metrics ?? [],
      (await readScores(store, { run: pair.after, stage }))?.metrics ?? [],
    ];
    for (const name of new Set([...after, ...before].map(figureName))) {
      const [old, current] = [before, after].map((scores) =>
        scores.find((score) => figureName(score) === name),
      );
      changes.push(...metricChange(stage, { old, current }));
    }
  }
  return changes;
}

function metricChange(
  stage: string,
  { old, current }: { readonly old: Score | undefined; readonly current: Score | undefined },
): readonly MetricChange[] {
  const either = current ?? old;
  if (either === undefined) return [];
  const { metric, of, higher_is_better } = either;
  const delta = old === undefined || current === undefined ? undefined : current.value - old.value;
  return [
    {
      stage,
      metric,
      ...(of === undefined ? {} : { of }),
      ...(old === undefined ? {} : { before: old.value }),
      ...(current === undefined ? {} : { after: current.value }),
      ...(delta === undefined ? {} : { delta }),
      ...(delta === undefined || delta === 0 ? {} : { better: delta > 0 === higher_is_better }),
    },
  ];
}
