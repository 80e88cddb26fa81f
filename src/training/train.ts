import { checkTask, noteUnusedDropout } from './check-task.ts';
import { TrainingRun } from './training-run.ts';
import type { TrainingSummary, TrainingTask } from './training-task.ts';

/**
 * Tunes a model in place and leaves its last weights in it, or its best. Aborted, it saves its state between two steps and
 * throws the signal's reason; called again with the same task, it goes on from there to the very bytes that it would have
 * come to without the interruption.
 */
export async function train(given: TrainingTask): Promise<TrainingSummary> {
  const task = withOwnSeed(given);
  checkTask(task);
  noteUnusedDropout(task);
  using run = await TrainingRun.open(task);
  if (!run.hasHistory) await run.evaluate();
  if (run.beginsAtEpochEnd) await endEpoch(run);
  for (const planned of run.isStopped ? [] : run.stepsToTake()) {
    await run.pause();
    await run.step(planned);
    if (run.isEvaluationDue) await run.evaluate();
    if (planned.endsEpoch) {
      await run.keepEpoch();
      await endEpoch(run);
    }
    if (run.isStopped) break;
  }
  return await run.end();
}

async function endEpoch(run: TrainingRun): Promise<void> {
  if (run.isLastEvaluationDue) await run.evaluate();
  await run.sample();
}

/** The training's own seed, where it has one, takes the place of the recipe's. */
function withOwnSeed(task: TrainingTask): TrainingTask {
  const { batches, config } = task;
  if (config.seed === undefined) return task;
  return { ...task, batches: { ...batches, recipe: { ...batches.recipe, seed: config.seed } } };
}
