export {
  type Answer,
  type Batches,
  type BatchItem,
  type BatchRecipe,
  batchesOf,
  type Example,
  type JudgedAnswer,
  namedTexts,
  type PreferencePair,
  textsOf,
} from './batches/batch-plan.ts';
export { ignoredTarget } from './batches/micro-batch.ts';
export { validationFigure, validationFigures } from './best-metric.ts';
export { checkBatches } from './check-task.ts';
export { figuresIn, type HistoryEntry } from './history.ts';
export { checkObjective } from './objective.ts';
export { isPreferenceMeasure } from './preference/figures.ts';
export { fieldsOfObjective } from './preference/preference-settings.ts';
export { withReference } from './preference/reference.ts';
export { keptEpochs } from './state/kept-epoch-name.ts';
export { train } from './train.ts';
export { checkTrainingMemory } from './training-memory.ts';
export type { AnswerScoring, TrainingProgress, TrainingSummary } from './training-task.ts';
export { tuneModel } from './tune-model.ts';
