export {
  type Answer,
  type AnswerColumn,
  type AnswerRow,
  type AnswerTable,
  type Judge,
  judgeOf,
  viewAnswers,
} from './answer-table.ts';
export { answerText, questionOf } from './answer-text.ts';
export {
  type BatchRowView,
  type BatchView,
  type TokenRun,
  tokenRuns,
  viewBatch,
  viewBatches,
} from './batch-view.ts';
export type { AnswerChange, AnswerChanges, RunPair, ScoreChange } from './compare-answers.ts';
export {
  compareRuns,
  type FieldChange,
  type MetricChange,
  type RunDifference,
  type StageDifference,
} from './compare-runs.ts';
export {
  type CurvePoint,
  type Curves,
  curvesOf,
  isLoss,
  type NamedCurves,
  type Overfitting,
} from './curves.ts';
export { type DagLayout, layOutDag, type PlacedEdge, type PlacedStage } from './dag-layout.ts';
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
export { historyPlot } from './plots/history-plot.ts';
export { type PlotSpec, plotColors } from './plots/plot-style.ts';
export { plotCss, renderSvg } from './plots/render-svg.ts';
export { type PlottedScore, scoresPlot } from './plots/scores-plot.ts';
export { type PlottedPoint, sweepPlot } from './plots/sweep-plot.ts';
export { readRunOutput } from './read-output.ts';
export { type Report, viewReport } from './report.ts';
export {
  type AnswerFlag,
  type AnswerIndex,
  answerChunks,
  type EvaluationRow,
  type Plots,
  type ReportPage,
  reportPage,
  type SweepPage,
  type TrainingPage,
} from './report-page.ts';
export { columnNames, reportPlots } from './report-plots.ts';
export { type OutputView, type RunView, type StageView, viewRun } from './run-view.ts';
export {
  type Evaluation,
  type RunColumn,
  type ScoreCell,
  type ScoreRow,
  type ScoreTable,
  scoreTables,
  viewEvaluations,
} from './score-table.ts';
export { mainScores, scoreName } from './scores.ts';
export { type ExperimentQuery, selectExperiments } from './select-experiments.ts';
export type { StageEdge } from './stage-edges.ts';
export { type TrainingView, viewTrainings } from './training-curves.ts';
