export { type Experiment, ExperimentReader, type StageLoss, type StageScore } from './experiments.ts';
export {
  bestValue,
  type ExperimentCell,
  type ExperimentColumn,
  type ExperimentsTable,
  experimentColumns,
  experimentsTable,
} from './experiments-table.ts';
export { mainScores, scoreName } from './scores.ts';
export { type ExperimentQuery, selectExperiments } from './select-experiments.ts';
