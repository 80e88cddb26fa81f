import type { Score } from '../metrics/index.ts';
import type { RunRecord, Store } from '../runtime/index.ts';
import { readScores, stagesWith } from './read-output.ts';
import { beforeTrainingFirst } from './stage-edges.ts';

/** One evaluation of a run. */
export interface Evaluation {
  readonly run: string;
  readonly stage: string;
  readonly metrics: readonly Score[];
}

/** Evaluations side by side: a column for each, a row for each figure. */
export interface ScoreTable {
  readonly columns: readonly RunColumn[];
  readonly rows: readonly ScoreRow[];
}

/** A stage of a run beside others. */
export interface RunColumn {
  readonly run: string;
  readonly stage: string;
  /** The stage's result is the same in every run, and this column is that of all of them. */
  readonly in_all_runs?: true;
}

export interface ScoreRow {
  readonly metric: string;
  /** What the figure is about, where a metric has several. */
  readonly of?: string;
  readonly higher_is_better: boolean;
  /** By column; null where the evaluation has no such figure. */
  readonly cells: readonly (ScoreCell | null)[];
}

export interface ScoreCell {
  /** Null where the responses do not define it. */
  readonly value: number | null;
  /** The ends of its 95 % interval: the bootstrap's, or the value with 1.96 standard errors on each side. */
  readonly low?: number;
  readonly high?: number;
  /** The number of records that it rests on. */
  readonly count: number;
  readonly left_out?: { readonly count: number; readonly reason: string };
  readonly remark?: string;
}

/** The evaluations of a run, those of a base model before those of a tuned one. */
export async function viewEvaluations(store: Store, run: RunRecord): Promise<readonly Evaluation[]> {
  const all: Evaluation[] = [];
  for (const stage of beforeTrainingFirst(store, { run, stages: stagesWith(run, 'scores') })) {
    const scores = await readScores(store, { run, stage });
    if (scores !== undefined) all.push({ run: run.run, stage, metrics: scores.metrics });
  }
  return all;
}

/**
 * Lines up evaluations that share a metric; those that share none come in separate tables. The columns of a stage are side
 * by side, and an evaluation that is the same in all runs is one column.
 */
export function scoreTables(evaluations: readonly Evaluation[]): readonly ScoreTable[] {
  const stages = [...new Set(evaluations.map(({ stage }) => stage))];
  const runs = new Set(evaluations.map(({ run }) => run));
  const distinct = stages.flatMap((stage) => {
    const own = evaluations.filter((evaluation) => evaluation.stage === stage);
    const [first] = own;
    const isShared =
      first !== undefined &&
      runs.size > 1 &&
      own.length === runs.size &&
      new Set(own.map(({ metrics }) => JSON.stringify(metrics))).size === 1;
    return isShared ? [{ ...first, in_all_runs: true as const }] : own;
  });
  return groupsOf(distinct)
    .map(tableOf)
    .filter(({ rows }) => rows.length > 0);
}

type EvaluationColumn = Evaluation & RunColumn;

function groupsOf(evaluations: readonly EvaluationColumn[]): readonly (readonly EvaluationColumn[])[] {
  const groups: EvaluationColumn[][] = [];
  for (const evaluation of evaluations) {
    const names = new Set(evaluation.metrics.map(figureName));
    const group = groups.find((others) =>
      others.some(({ metrics }) => metrics.some((score) => names.has(figureName(score)))),
    );
    if (group === undefined) groups.push([evaluation]);
    else group.push(evaluation);
  }
  return groups;
}

function tableOf(group: readonly EvaluationColumn[]): ScoreTable {
  const figures = new Map(
    group.flatMap(({ metrics }) => metrics.map((score) => [figureName(score), score] as const)),
  );
  return {
    columns: group.map(({ metrics: _, ...column }) => column),
    rows: [...figures].map(([name, { metric, of, higher_is_better }]) => ({
      metric,
      ...(of === undefined ? {} : { of }),
      higher_is_better,
      cells: group.map(({ metrics }) => {
        const score = metrics.find((each) => figureName(each) === name);
        return score === undefined ? null : scoreCell(score);
      }),
    })),
  };
}

/** The standard normal's 97.5 % point. */
const Z95 = 1.959964;

/** A figure with the ends of its interval, if it has one. */
export function scoreCell(score: Score): ScoreCell {
  const { value, standard_error: error, interval, count, left_out, remark } = score;
  // JSON has null for NaN.
  const known = typeof value === 'number' && Number.isFinite(value);
  const ends =
    interval ??
    (known && typeof error === 'number' ? { low: value - Z95 * error, high: value + Z95 * error } : {});
  return {
    value: known ? value : null,
    ...ends,
    count,
    ...(left_out && { left_out: { count: left_out.count, reason: left_out.reason } }),
    ...(remark === undefined ? {} : { remark }),
  };
}

/** Two figures are the same if their metric and what they are about are. */
export const figureName = ({ metric, of }: Pick<Score, 'metric' | 'of'>): string =>
  JSON.stringify([metric, of ?? null]);
