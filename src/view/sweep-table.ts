import { canonicalJson, type Json, type JsonObject } from '../core/index.ts';
import type { RunRecord } from '../runtime/index.ts';
import { type Evaluation, type ScoreCell, scoreCell } from './score-table.ts';

/** Points of a sweep, or runs with different params, and what each scored. */
export interface SweepTable {
  /** The params that differ between the points, by name. */
  readonly params: readonly string[];
  readonly metrics: readonly SweepMetric[];
  readonly points: readonly SweepPoint[];
}

export interface SweepMetric {
  /** The evaluation's id in the pipeline, without the point. */
  readonly stage: string;
  readonly metric: string;
  readonly of?: string;
  readonly higher_is_better: boolean;
}

export interface SweepPoint {
  readonly run: string;
  /** `epochs=2,learning_rate=0.0001`, or the run's id. */
  readonly label: string;
  readonly params: JsonObject;
  /** By metric; null where the point has no such figure. */
  readonly scores: readonly (ScoreCell | null)[];
}

interface MeasuredPoint {
  readonly run: string;
  readonly label: string;
  readonly params: JsonObject;
  /** With stages by their ids in the pipeline. */
  readonly evaluations: readonly Evaluation[];
}

/** The points of a sweep's run; undefined if it is none. */
export function sweepOf(run: RunRecord, evaluations: readonly Evaluation[]): SweepTable | undefined {
  if (run.points === undefined) return undefined;
  return tableOf(
    run.points.map(({ label, params, stages }) => ({
      run: run.run,
      label,
      params,
      evaluations: Object.entries(stages).flatMap(([id, node]) =>
        evaluations.filter(({ stage }) => stage === node).map((evaluation) => ({ ...evaluation, stage: id })),
      ),
    })),
  );
}

/** Several runs as points. */
export const sweepOfRuns = (
  runs: readonly { readonly record: RunRecord; readonly evaluations: readonly Evaluation[] }[],
): SweepTable =>
  tableOf(
    runs.map(({ record, evaluations }) => ({
      run: record.run,
      label: record.run,
      params: record.params,
      evaluations,
    })),
  );

function tableOf(points: readonly MeasuredPoint[]): SweepTable {
  const names = [...new Set(points.flatMap(({ params }) => Object.keys(params)))].sort();
  const differing = names.filter((name) => new Set(points.map(({ params }) => spell(params[name]))).size > 1);
  const metrics = new Map<string, SweepMetric>();
  for (const { evaluations } of points)
    for (const evaluation of evaluations)
      for (const { metric, of, higher_is_better } of mainFigures(evaluation)) {
        const { stage } = evaluation;
        const figure = { stage, metric, ...(of === undefined ? {} : { of }), higher_is_better };
        metrics.set(nameOf(figure), figure);
      }
  return {
    params: differing,
    metrics: [...metrics.values()],
    points: points.map(({ run, label, params, evaluations }) => ({
      ...{ run, label, params },
      scores: [...metrics.values()].map((figure) => {
        const own = evaluations.find(({ stage }) => stage === figure.stage)?.metrics;
        const score = own?.find(({ metric, of }) => nameOf({ ...figure, metric, of }) === nameOf(figure));
        return score === undefined ? null : scoreCell(score);
      }),
    })),
  };
}

/** More figures than this of one evaluation are reduced to those over all records. */
const MOST_FIGURES = 8;

/** The figures over all records; all figures if they are few, or if each is of a part. */
function mainFigures({ metrics }: Evaluation): Evaluation['metrics'] {
  const overall = metrics.filter(({ of }) => of === undefined);
  return metrics.length <= MOST_FIGURES || overall.length === 0 ? metrics : overall;
}

const spell = (value: Json | undefined): string => (value === undefined ? '' : canonicalJson(value));

const nameOf = ({
  stage,
  metric,
  of,
}: Pick<SweepMetric, 'stage' | 'metric'> & { readonly of?: string | undefined }): string =>
  JSON.stringify([stage, metric, of ?? null]);
