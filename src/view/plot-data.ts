import type { Json } from '../core/index.ts';
import type { NamedCurves } from './curves.ts';
import type { Experiment } from './experiments.ts';
import type { ExperimentColumn, ExperimentsTable } from './experiments-table.ts';
import type { PlottedScore } from './plots/scores-plot.ts';
import type { PlottedPoint } from './plots/sweep-plot.ts';
import type { TrainingView } from './training-curves.ts';

/** Trainings as curves, each named for its stage, with its run where there are several. */
export function plottedCurves(trainings: readonly TrainingView[]): readonly NamedCurves[] {
  const several = new Set(trainings.map(({ run }) => run)).size > 1;
  return trainings.map(({ run, stage, curves }) => ({
    ...curves,
    name: several ? `${shortRun(run)} ${stage}` : stage,
  }));
}

/**
 * Experiments as points over the params and fields that differ; their scores come before their losses. A figure that is the
 * same everywhere tells nothing apart and is left out.
 */
export function plottedPoints({ experiments, columns }: ExperimentsTable): readonly PlottedPoint[] {
  const ofKind = (...kinds: readonly ExperimentColumn['kind'][]) =>
    columns.filter(({ kind }) => kinds.includes(kind));
  const figures = [...ofKind('score'), ...ofKind('loss')].filter(
    ({ cells }) => new Set(cells.map((cell) => JSON.stringify(cell?.value))).size > 1,
  );
  return experiments.map((experiment, index) => ({
    name: nameOf(experiment, experiments),
    params: Object.fromEntries(
      ofKind('param', 'field').flatMap(({ name, cells }): [string, Json][] => {
        const value = cells[index]?.value;
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    scores: figures.flatMap(({ name, cells, higherIsBetter = true }) => {
      const value = cells[index]?.value;
      return typeof value === 'number' ? [{ name, value, higher_is_better: higherIsBetter }] : [];
    }),
  }));
}

/** All scores of experiments: a series for each experiment and each of its evaluations. */
export function plottedScores(experiments: readonly Experiment[]): readonly PlottedScore[] {
  return experiments.flatMap((experiment) => {
    const stages = new Set(experiment.scores.map(({ stage }) => stage));
    const name = experiments.length > 1 ? nameOf(experiment, experiments) : undefined;
    return experiment.scores.map((score) => {
      const { stage, metric, of, value, higher_is_better, standard_error, interval } = score;
      const series = name === undefined ? stage : stages.size > 1 ? `${name} ${stage}` : name;
      return {
        ...{ series, metric, value, higher_is_better },
        ...(of === undefined ? {} : { of }),
        ...(standard_error === undefined ? {} : { standard_error }),
        ...(interval === undefined ? {} : { interval }),
      };
    });
  });
}

function nameOf({ run, point }: Experiment, among: readonly Experiment[]): string {
  const isOneRun = among.every((other) => other.run === run);
  if (point === undefined) return shortRun(run);
  return isOneRun ? point : `${shortRun(run)} ${point}`;
}

/** The end of a run's id, which commands accept in its place. */
const shortRun = (run: string): string => run.slice(-6);
