export {
  type Answer,
  type AnswerColumn,
  type AnswerRow,
  type AnswerTable,
  viewAnswers,
} from './answer-table.ts';
export { answerText, questionOf } from './answer-text.ts';
export { type BatchRowView, type BatchView, viewBatch, viewBatches } from './batch-view.ts';
export type { AnswerChange, AnswerChanges, RunPair } from './compare-answers.ts';
export {
  compareRuns,
  type FieldChange,
  type MetricChange,
  type RunDifference,
  type StageDifference,
} from './compare-runs.ts';
export { type CurvePoint, type Curves, curvesOf, type Overfitting } from './curves.ts';
export { type OutputView, type RunView, type StageView, viewRun } from './run-view.ts';
export {
  type Evaluation,
  type ScoreCell,
  type ScoreRow,
  type ScoreTable,
  scoreTables,
  viewEvaluations,
} from './score-table.ts';
export type { StageEdge } from './stage-edges.ts';
export { type SweepMetric, type SweepPoint, type SweepTable, sweepOf, sweepOfRuns } from './sweep-table.ts';
export { type TrainingView, viewTrainings } from './training-curves.ts';
