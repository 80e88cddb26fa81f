import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { LanguageModel } from '../model/index.ts';
import {
  batchesPerEpoch,
  countSteps,
  namedTexts,
  type PlannedStep,
  plannedSteps,
} from './batches/batch-plan.ts';
import { bestStep, isPatienceExhausted } from './best-metric.ts';
import { checkTask } from './check-task.ts';
import { dropoutOfStep, dropoutRates, noteUnusedDropout } from './dropout.ts';
import { Evaluator } from './evaluator.ts';
import { type HistoryEntry, isSpike, latestFigures } from './history.ts';
import { learningRateAt } from './learning-rate-at.ts';
import { learningRateFactors } from './learning-rate-factors.ts';
import { overflowNote } from './loss-scale.ts';
import { withNoise } from './neftune.ts';
import { type BatchMaker, batchMaker, withReferences } from './objective.ts';
import { peakLearningRate } from './optimizer/optimizer.ts';
import { writeSample } from './sample.ts';
import { findResumePoint, keepEpoch } from './state/kept-epochs.ts';
import { SavingTimes, saveState } from './state/state-file.ts';
import { TrainingState } from './state/training-state.ts';
import { stepEntry, takeStep } from './take-step.ts';
import type { TrainingProgress, TrainingSummary, TrainingTask } from './training-task.ts';

/**
 * Tunes a model in place and leaves its last weights in it, or its best. When aborted, it saves its state between two
 * steps and throws the signal's reason. Called again with the same task, it resumes from there, and the result has the
 * same bytes as that of an uninterrupted training.
 */
export async function train(given: TrainingTask): Promise<TrainingSummary> {
  const seeded = withOwnSeed(given);
  checkTask(seeded);
  noteUnusedDropout(seeded);
  const task = await withReferences(seeded);
  await using loop = new TrainingLoop(task);
  return await loop.run();
}

/** The training's own seed, if it has one, replaces the recipe's. */
function withOwnSeed(task: TrainingTask): TrainingTask {
  const { batches, config } = task;
  if (config.seed === undefined) return task;
  return { ...task, batches: { ...batches, recipe: { ...batches.recipe, seed: config.seed } } };
}

class TrainingLoop implements AsyncDisposable {
  readonly #task: TrainingTask;
  readonly #evaluator: Evaluator;
  readonly #makeBatch: BatchMaker;
  readonly #state: TrainingState;
  readonly #savingTimes: SavingTimes;
  readonly #totalSteps: number;
  #epoch = 0;
  /** Of the steps taken by this attempt. */
  #measured = { tokens: 0, milliseconds: 0 };

  constructor(task: TrainingTask) {
    this.#task = task;
    const { model, config } = task;
    this.#state = new TrainingState(model, config.optimizer, learningRateFactors(model, config));
    this.#evaluator = new Evaluator(task, {
      state: this.#state,
      log: (entry) => this.#log(entry),
      report: (phase) => this.#report(phase),
    });
    this.#makeBatch = batchMaker(task);
    this.#savingTimes = new SavingTimes(task.clock);
    this.#totalSteps = countSteps(task.batches, task.config.epochs);
  }

  async run(): Promise<TrainingSummary> {
    const start = await this.#resume();
    const wasAnswering = start !== undefined && this.#evaluator.owesAnswers(this.#isLastStep);
    await this.#measure();
    if (start?.isEpochEnd || (wasAnswering && this.#isEpochEnd)) await this.#endEpoch();
    const { batches, config } = this.#task;
    for (const planned of plannedSteps({ batches, epochs: config.epochs, taken: this.#state.step })) {
      if (this.#isStopped) break;
      await this.#save();
      await this.#step(planned);
      await this.#measure();
      if (!planned.endsEpoch) continue;
      await this.#keepEpoch();
      await this.#endEpoch();
    }
    return await this.#end();
  }

  /** Restores the state that an interrupted or a shorter training left, if any. */
  async #resume() {
    const { onNote, onEntry, statePath } = this.#task;
    const start = await findResumePoint(this.#task);
    if (start !== undefined) {
      await using saved = start.saved;
      await this.#state.restore(saved, statePath);
      onNote(`resumes after ${start.description}`);
    }
    for (const entry of this.#state.history) await onEntry(entry);
    this.#epoch = this.#state.history.at(-1)?.epoch ?? 0;
    return start;
  }

  /** Saves the state when it is due or the training is aborted, and stops in the latter case. */
  async #save(): Promise<void> {
    const { signal, statePath, fingerprint } = this.#task;
    await yieldToEventLoop();
    if (signal.aborted || this.#savingTimes.isDue)
      await this.#savingTimes.measure(() => saveState(statePath, { state: this.#state, fingerprint }));
    signal.throwIfAborted();
  }

  async #step({ step, epoch, examples }: PlannedStep): Promise<void> {
    const { config, batches, model, clock, onNote } = this.#task;
    const { schedule, optimizer, clip_norm: clipNorm, on_spike: policy } = config;
    const { history, tokens } = this.#state;
    const totalSteps = this.#totalSteps;
    this.#epoch = epoch;
    const batch = this.#makeBatch(examples);
    const peak = peakLearningRate(optimizer, step - this.#state.skipped);
    const learningRate = learningRateAt({ schedule, peak, step, totalSteps });
    const rates = dropoutRates(config, model);
    const dropout = dropoutOfStep({ rates, seed: batches.recipe.seed, step });
    const started = clock();
    const taken = await takeStep(this.#state, {
      ...{ step, batch, model: this.#modelOf(step), learningRate, clipNorm, dropout },
      precision: config.precision,
      isSpike: policy && ((loss) => isSpike(loss, { history, policy })),
    });
    this.#measured.milliseconds += clock() - started;
    this.#measured.tokens += batch.tokens;
    await this.#log(stepEntry(taken, { step, epoch, learningRate, tokens: tokens + batch.tokens }));
    if (taken.overflow) onNote(overflowNote(step, this.#state.lossScale));
    this.#report();
  }

  /** The model as a step reads with it. */
  #modelOf(step: number): LanguageModel {
    const { model, config, batches } = this.#task;
    const { neftune_noise_alpha: alpha } = config;
    return alpha === undefined ? model : withNoise(model, { alpha, seed: batches.recipe.seed, step });
  }

  /** Reports where the training is, with the latest losses. */
  #report(phase: Pick<TrainingProgress, 'evaluating' | 'answering'> = {}): void {
    this.#task.onProgress({
      ...{ step: this.#state.step, totalSteps: this.#totalSteps, ...latestFigures(this.#state.history) },
      ...(this.#measured.tokens > 0 && { tokensPerSecond: this.#tokensPerSecond }),
      ...phase,
    });
  }

  async #log(entry: HistoryEntry): Promise<void> {
    this.#state.record(entry);
    await this.#task.onEntry(entry);
  }

  get #tokensPerSecond(): number {
    const { tokens, milliseconds } = this.#measured;
    return milliseconds === 0 ? 0 : (1000 * tokens) / milliseconds;
  }

  get #isLastStep(): boolean {
    return this.#state.step === this.#totalSteps;
  }

  get #isEpochEnd(): boolean {
    const { examples, recipe } = this.#task.batches;
    return this.#state.step > 0 && this.#state.step % batchesPerEpoch(examples, recipe) === 0;
  }

  /** Measures what is due. If the training is aborted meanwhile, its state is saved as it is after the last step. */
  async #measure({ isLast = false } = {}): Promise<void> {
    try {
      await this.#evaluator.measure({ epoch: this.#epoch, isLast });
    } catch (error) {
      const { signal, statePath, fingerprint } = this.#task;
      if (signal.aborted) await saveState(statePath, { state: this.#state, fingerprint });
      throw error;
    }
  }

  /** Keeps the state for longer trainings, before any step that depends on this epoch being the last. */
  async #keepEpoch(): Promise<void> {
    const { checkpointPath, fingerprint, config, onNote } = this.#task;
    if (checkpointPath === undefined || config.keep_epochs === 0) return;
    const kept = { epoch: this.#epoch, state: this.#state, most: config.keep_epochs };
    // A kept state only saves work, so a full disk must not fail the training.
    await keepEpoch({ folder: checkpointPath, fingerprint }, kept).catch((error: Error) =>
      onNote(`the state after epoch ${this.#epoch} is not kept: ${error.message}`),
    );
  }

  /** Evaluates the last weights, if this has not been done, and writes the epoch's sample. */
  async #endEpoch(): Promise<void> {
    if (this.#isLastStep) await this.#measure({ isLast: true });
    const { step } = this.#state;
    const { validation, validationSets, batches, onNote } = this.#task;
    const { examples } = validation ?? validationSets?.values().next().value ?? batches;
    const [example] = examples.slice(0, 1).flatMap(namedTexts);
    const sample = example && (await writeSample(this.#task, example));
    if (sample === undefined) return;
    await this.#log({ type: 'sample', step, epoch: this.#epoch, ...sample });
    const line = sample.response.replaceAll(/\s+/g, ' ').trim();
    onNote(`after epoch ${this.#epoch} the model writes: ${line}`);
  }

  get #isStopped(): boolean {
    const { early_stop } = this.#task.config;
    return (
      this.#isSpiked ||
      (early_stop !== undefined &&
        isPatienceExhausted(this.#state.history, early_stop, this.#evaluator.metric))
    );
  }

  get #isSpiked(): boolean {
    const last = this.#state.history.findLast((entry) => entry.type === 'step');
    return this.#task.config.on_spike?.action === 'stop' && last?.spike === true;
  }

  /** Restores the best weights if they were kept. */
  async #end(): Promise<TrainingSummary> {
    const { step, history } = this.#state;
    const { metric, answering } = this.#evaluator;
    const best = bestStep(history, metric);
    if (this.#task.config.keep === 'best' && best === 0 && step > 0)
      this.#task.onNote(
        `\`keep: best\` keeps the weights from before the training: no later ${metric.name} is better`,
      );
    await this.#state.returnToBest();
    await this.#log({
      ...{ type: 'end', step, epoch: this.#epoch },
      ...(best === undefined ? {} : { best_step: best }),
      ...(best === undefined || metric.name === 'validation_loss' ? {} : { best_by: metric.name }),
      reason: this.#isSpiked ? 'loss_spike' : step < this.#totalSteps ? 'early_stop' : 'completed',
    });
    return { steps: step, tokensPerSecond: this.#tokensPerSecond, ...(answering && { answering }) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#state[Symbol.asyncDispose]();
  }
}
