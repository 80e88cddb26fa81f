export { type CurvePoint, type Curves, curvesOf, type Overfitting } from './curves.ts';
export { type Experiment, ExperimentReader, type StageLoss, type StageScore } from './experiments.ts';
export {
  bestValue,
  type ExperimentCell,
  type ExperimentColumn,
  type ExperimentsTable,
  experimentColumns,
  experimentsTable,
} from './experiments-table.ts';
export { plottedCurves, plottedPoints, plottedScores } from './plot-data.ts';
export { historyPlot, type NamedCurves } from './plots/history-plot.ts';
export { type PlotSpec, plotColors } from './plots/plot-style.ts';
export { plotCss, renderSvg } from './plots/render-svg.ts';
export { type PlottedScore, scoresPlot } from './plots/scores-plot.ts';
export { type PlottedPoint, sweepPlot } from './plots/sweep-plot.ts';
export { readRunOutput } from './read-output.ts';
export { mainScores, scoreName } from './scores.ts';
export { type ExperimentQuery, selectExperiments } from './select-experiments.ts';
export { type TrainingView, viewTrainings } from './training-curves.ts';
