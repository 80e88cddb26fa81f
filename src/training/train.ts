import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import { UserError } from '../core/index.ts';
import { recycle } from '../tensor/index.ts';
import { countSteps, type PlannedStep, plannedSteps } from './batches/batch-plan.ts';
import { type Batch, splitBatch } from './batches/micro-batch.ts';
import { checkTask } from './check-task.ts';
import { dropoutOfStep, dropoutRates, noteUnusedDropout } from './dropout.ts';
import { type EvaluationSets, evaluate, evaluationSets, isEvaluationDue } from './evaluation.ts';
import { clipScale, type DropoutByMicroBatch, gradientNorm, lossAndGradients } from './gradients.ts';
import { bestStep, type HistoryEntry, isPatienceExhausted, isSpike, latestFigures } from './history.ts';
import { learningRateAt } from './learning-rate-at.ts';
import { writeSample } from './sample.ts';
import { findResumePoint, keepEpoch } from './state/kept-epochs.ts';
import { SavingTimes, saveState } from './state/state-file.ts';
import { TrainingState } from './state/training-state.ts';
import {
  batchLayout,
  type TrainingProgress,
  type TrainingSummary,
  type TrainingTask,
} from './training-task.ts';

/**
 * Tunes a model in place and leaves its last weights in it, or its best. When aborted, it saves its state between two
 * steps and throws the signal's reason. Called again with the same task, it resumes from there, and the result has the
 * same bytes as that of an uninterrupted training.
 */
export async function train(given: TrainingTask): Promise<TrainingSummary> {
  const task = withOwnSeed(given);
  checkTask(task);
  noteUnusedDropout(task);
  using loop = new TrainingLoop(task);
  return await loop.run();
}

/** The training's own seed, if it has one, replaces the recipe's. */
function withOwnSeed(task: TrainingTask): TrainingTask {
  const { batches, config } = task;
  if (config.seed === undefined) return task;
  return { ...task, batches: { ...batches, recipe: { ...batches.recipe, seed: config.seed } } };
}

class TrainingLoop implements Disposable {
  readonly #task: TrainingTask;
  readonly #sets: EvaluationSets;
  readonly #state: TrainingState;
  readonly #savingTimes: SavingTimes;
  readonly #totalSteps: number;
  #epoch = 0;
  /** Of the steps taken by this attempt. */
  #measured = { tokens: 0, milliseconds: 0 };

  constructor(task: TrainingTask) {
    this.#task = task;
    this.#sets = evaluationSets(task);
    this.#state = new TrainingState(task.model, task.config.optimizer);
    this.#savingTimes = new SavingTimes(task.clock);
    this.#totalSteps = countSteps(task.batches, task.config.epochs);
  }

  async run(): Promise<TrainingSummary> {
    const start = await this.#resume();
    if (this.#state.history.length === 0) await this.#evaluate();
    if (start?.isEpochEnd) await this.#endEpoch();
    const { batches, config } = this.#task;
    for (const planned of plannedSteps({ batches, epochs: config.epochs, taken: this.#state.step })) {
      if (this.#isStopped) break;
      await this.#save();
      await this.#step(planned);
      if (this.#isEvaluationDue) await this.#evaluate();
      if (!planned.endsEpoch) continue;
      await this.#keepEpoch();
      await this.#endEpoch();
    }
    return await this.#end();
  }

  /** Restores the state that an interrupted or a shorter training left, if any. */
  async #resume() {
    const { onNote, onEntry } = this.#task;
    const start = await findResumePoint(this.#task);
    if (start !== undefined) {
      this.#state.restore(start.saved);
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
    const { config, batches, model, clock } = this.#task;
    const { schedule, optimizer, clip_norm: clipNorm, on_spike: policy } = config;
    const { history, tokens } = this.#state;
    const totalSteps = this.#totalSteps;
    this.#epoch = epoch;
    const batch = splitBatch(examples, batchLayout(this.#task));
    const learningRate = learningRateAt({ schedule, peak: optimizer.learning_rate, step, totalSteps });
    const rates = dropoutRates(config, model);
    const dropout = dropoutOfStep({ rates, seed: batches.recipe.seed, step });
    const started = clock();
    const { loss, norm, spike } = await takeStep(this.#state, {
      ...{ step, batch, learningRate, clipNorm, dropout },
      isSpike: policy && ((loss) => isSpike(loss, { history, policy })),
    });
    this.#measured.milliseconds += clock() - started;
    this.#measured.tokens += batch.tokens;
    await this.#log({
      ...{ type: 'step', step, epoch, loss, learning_rate: learningRate, gradient_norm: norm },
      tokens: tokens + batch.tokens,
      ...(spike ? { spike } : {}),
    });
    this.#report();
  }

  /** Reports where the training is, with the latest losses. */
  #report(evaluating?: TrainingProgress['evaluating']): void {
    this.#task.onProgress({
      ...{ step: this.#state.step, totalSteps: this.#totalSteps, ...latestFigures(this.#state.history) },
      ...(this.#measured.tokens > 0 && { tokensPerSecond: this.#tokensPerSecond }),
      ...(evaluating && { evaluating }),
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

  get #isEvaluationDue(): boolean {
    return isEvaluationDue(this.#state.step, this.#task.config.evaluate.every);
  }

  /** Measures the losses, and keeps a copy of the weights if they are the best so far and `keep: best` is set. */
  async #evaluate(): Promise<void> {
    const { step } = this.#state;
    const losses = await evaluate(this.#state, this.#sets, (done, total) => this.#report({ done, total }));
    await this.#log({ type: 'evaluation', step, epoch: this.#epoch, ...losses });
    if (this.#task.config.keep === 'best' && bestStep(this.#state.history) === step) this.#state.keepAsBest();
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
    const { step } = this.#state;
    if (step === this.#totalSteps && !this.#isEvaluationDue) await this.#evaluate();
    const { validation, batches, onNote } = this.#task;
    const [example] = (validation ?? batches).examples;
    const sample = example && (await writeSample(this.#task, example));
    if (sample === undefined) return;
    await this.#log({ type: 'sample', step, epoch: this.#epoch, ...sample });
    const line = sample.response.replaceAll(/\s+/g, ' ').trim();
    onNote(`after epoch ${this.#epoch} the model writes: ${line}`);
  }

  get #isStopped(): boolean {
    const { early_stop } = this.#task.config;
    return (
      this.#isSpiked || (early_stop !== undefined && isPatienceExhausted(this.#state.history, early_stop))
    );
  }

  get #isSpiked(): boolean {
    const last = this.#state.history.findLast((entry) => entry.type === 'step');
    return this.#task.config.on_spike?.action === 'stop' && last?.spike === true;
  }

  /** Restores the best weights if they were kept. */
  async #end(): Promise<TrainingSummary> {
    const { step, history } = this.#state;
    const best = bestStep(history);
    this.#state.returnToBest();
    await this.#log({
      ...{ type: 'end', step, epoch: this.#epoch },
      ...(best === undefined ? {} : { best_step: best }),
      reason: this.#isSpiked ? 'loss_spike' : step < this.#totalSteps ? 'early_stop' : 'completed',
    });
    return { steps: step, tokensPerSecond: this.#tokensPerSecond };
  }

  [Symbol.dispose](): void {
    this.#state[Symbol.dispose]();
  }
}

/** Updates the weights once: forward, backward, clip, update. A loss spike leaves them unchanged. */
export async function takeStep(
  state: TrainingState,
  {
    step,
    batch,
    learningRate,
    clipNorm,
    dropout,
    isSpike,
  }: {
    /** 1 is the first step. */
    readonly step: number;
    readonly batch: Batch;
    readonly learningRate: number;
    readonly clipNorm: number | undefined;
    readonly dropout?: DropoutByMicroBatch | undefined;
    readonly isSpike?: ((loss: number) => boolean) | undefined;
  },
): Promise<{ readonly loss: number; readonly norm: number; readonly spike: boolean }> {
  const { loss, gradients } = await lossAndGradients(state.model, { ...batch, dropout });
  try {
    const norm = gradientNorm(gradients.values());
    if (!Number.isFinite(loss)) throw notFinite(step, `the loss is ${loss}`);
    if (!Number.isFinite(norm)) throw notFinite(step, `the norm of the gradients is ${norm}`);
    const spike = isSpike?.(loss) ?? false;
    const gradientScale = clipScale(norm, clipNorm);
    if (!spike)
      state.optimizer.update({ gradients, step: step - state.skipped, learningRate, gradientScale });
    return { loss, norm, spike };
  } finally {
    recycle([...gradients.values()]);
  }
}

const notFinite = (step: number, what: string) =>
  new UserError({
    code: 'loss-not-finite',
    message: `in step ${step} ${what}`,
    help: 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
  });
