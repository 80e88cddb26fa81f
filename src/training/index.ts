export { type Batches, type BatchRecipe, batchesOf, type Example } from './batches/batch-plan.ts';
export { ignoredTarget } from './batches/micro-batch.ts';
export { figuresIn, type HistoryEntry } from './history.ts';
export { keptEpochs } from './state/kept-epoch-name.ts';
export { train } from './train.ts';
export { checkTrainingMemory } from './training-memory.ts';
export type { AnswerScoring, TrainingProgress, TrainingSummary } from './training-task.ts';
export { tuneModel } from './tune-model.ts';
