import type { ExperimentsTable } from './experiments-table.ts';
import { plottedPoints } from './plot-data.ts';
import { historyPlot } from './plots/history-plot.ts';
import { renderSvg } from './plots/render-svg.ts';
import { scoresPlot } from './plots/scores-plot.ts';
import { sweepPlot } from './plots/sweep-plot.ts';
import type { Report } from './report.ts';
import type { Plots } from './report-page.ts';
import type { RunColumn, ScoreTable } from './score-table.ts';
import type { TrainingView } from './training-curves.ts';

/** In pixels: legible on a phone, which scrolls a drawing sideways, and large enough on a laptop. */
const WIDTH = 680;
/** More figures in one drawing are a wall of points; the table has them. */
const MOST_FIGURES = 24;

/** Draws a report's trainings, scores and sweep. */
export async function reportPlots(report: Report): Promise<Plots> {
  const nameOf = columnNames(report);
  const trainings: string[] = [];
  for (const { run, stage, curves } of report.trainings)
    trainings.push(
      await renderSvg(
        historyPlot([{ ...curves, name: nameOf({ run, stage }) }], { width: WIDTH, detail: true }),
      ),
    );
  const scores: (string | undefined)[] = [];
  for (const table of report.scores) scores.push(await scoresSvg(table, nameOf));
  const [overlay, sweep] = [await overlaySvg(report.trainings, nameOf), await sweepSvg(report.sweep)];
  return {
    trainings,
    ...(overlay === undefined ? {} : { overlay }),
    scores,
    ...(sweep === undefined ? {} : { sweep }),
  };
}

/** A stage's id, with the end of its run's id where there are several runs. */
export const columnNames =
  ({ runs }: Pick<Report, 'runs'>) =>
  ({ run, stage, in_all_runs }: RunColumn): string =>
    runs.length === 1 || in_all_runs ? stage : `${stage} · ${shortRun(run)}`;

/** The random end of a run's id, which tells runs apart. */
export const shortRun = (run: string): string => run.split('-').at(-1) ?? run;

const MOST_CURVES = 8;

async function overlaySvg(
  trainings: readonly TrainingView[],
  nameOf: (named: RunColumn) => string,
): Promise<string | undefined> {
  if (trainings.length < 2 || trainings.length > MOST_CURVES) return undefined;
  const names = apart(trainings.map(nameOf));
  const named = trainings.map(({ curves }, index) => ({ ...curves, name: names[index] ?? '' }));
  return await renderSvg(historyPlot(named, { width: WIDTH }));
}

/** Names without what they all begin with up to ` · `, or all end with from the last `/`: a legend has little room. */
function apart(names: readonly string[]): readonly string[] {
  const [first = ''] = names;
  const start = first.slice(0, first.indexOf(' · ') + 3);
  const end = first.slice(first.lastIndexOf('/'));
  if (first.includes(' · ') && names.every((name) => name.startsWith(start)))
    return names.map((name) => name.slice(start.length));
  if (first.includes('/') && names.every((name) => name.endsWith(end) && name.length > end.length))
    return names.map((name) => name.slice(0, -end.length));
  return names;
}

async function scoresSvg(
  table: ScoreTable,
  nameOf: (named: RunColumn) => string,
): Promise<string | undefined> {
  if (table.rows.length * table.columns.length > MOST_FIGURES) return undefined;
  const plotted = table.rows.flatMap(({ metric, of, higher_is_better, cells }) =>
    cells.flatMap((cell, index) => {
      const column = table.columns[index];
      if (column === undefined || typeof cell?.value !== 'number') return [];
      const { value, low, high } = cell;
      return [
        {
          series: nameOf(column),
          metric,
          ...(of === undefined ? {} : { of }),
          value,
          higher_is_better,
          ...(low === undefined || high === undefined ? {} : { interval: { low, high } }),
        },
      ];
    }),
  );
  return plotted.length === 0 ? undefined : await renderSvg(scoresPlot(plotted, { width: WIDTH - 160 }));
}

async function sweepSvg(sweep: ExperimentsTable | undefined): Promise<string | undefined> {
  const points = sweep === undefined ? [] : plottedPoints(sweep);
  // One point, or runs that are alike, leave no axis to draw.
  if (points.every(({ params, scores }) => scores.length === 0 && Object.keys(params).length === 0))
    return undefined;
  return await renderSvg(sweepPlot(points, { width: WIDTH }));
}
