import { setImmediate as letMessagesIn } from 'node:timers/promises';
import type { Example } from './batches/example.ts';
import { batchPieces } from './batches/micro-batch.ts';
import { countSteps, type PlannedStep, plannedSteps } from './check-task.ts';
import {
  bestStep,
  type EvaluationSets,
  evaluate,
  evaluationSets,
  isEvaluationDue,
  isPatienceSpent,
  validationLosses,
} from './evaluation.ts';
import type { HistoryEntry } from './history-entry.ts';
import { learningRateAt } from './learning-rate-at.ts';
import { isSpike } from './loss.ts';
import { writeSample } from './sample.ts';
import { findStart, keepEpoch, SavingTimes, type TrainingStart } from './state/kept-epochs.ts';
import { saveState } from './state/state-file.ts';
import { TrainingState } from './state/training-state.ts';
import { dropoutOfStep, dropoutRates, takeStep } from './training-step.ts';
import { slicingOf, type TrainingSummary, type TrainingTask } from './training-task.ts';

/** A training under way: what `train` does step by step, with the history that comes of it. */
export class TrainingRun implements Disposable {
  readonly #task: TrainingTask;
  readonly #state: TrainingState;
  readonly #sets: EvaluationSets;
  readonly #savingTimes: SavingTimes;
  readonly #throughput: Throughput;
  readonly #totalSteps: number;
  #epoch: number;
  /** Whether it begins where an epoch's last step had just been taken. */
  readonly beginsAtEpochEnd: boolean;

  /** Begins where an interrupted attempt at the same task stopped, or at the beginning. */
  static async open(task: TrainingTask): Promise<TrainingRun> {
    const state = new TrainingState(task.model, task.config.optimizer);
    const start = await findStart(task);
    if (start !== undefined) {
      state.restore(start.saved);
      task.onNote(`goes on after ${start.words}`);
    }
    for (const entry of state.history) await task.onEntry(entry);
    return new TrainingRun(task, state, start);
  }

  private constructor(task: TrainingTask, state: TrainingState, start: TrainingStart | undefined) {
    this.#task = task;
    this.#state = state;
    this.#sets = evaluationSets(task);
    this.#savingTimes = new SavingTimes(task.clock);
    this.#throughput = new Throughput(task.clock);
    this.#epoch = state.history.at(-1)?.epoch ?? 0;
    this.beginsAtEpochEnd = start?.isEpochEnd ?? false;
    this.#totalSteps = countSteps({ batches: task.batches, epochs: task.config.epochs });
  }

  get hasHistory(): boolean {
    return this.#state.history.length > 0;
  }

  stepsToTake(): Iterable<PlannedStep> {
    const { batches, config } = this.#task;
    return plannedSteps({ batches, epochs: config.epochs, taken: this.#state.step });
  }

  /** Between two steps: saves the state when it is time to, and stops where the task was aborted. */
  async pause(): Promise<void> {
    const { signal, statePath, fingerprint } = this.#task;
    await letMessagesIn();
    if (signal.aborted || this.#savingTimes.isDue)
      await this.#savingTimes.measure(() => saveState(statePath, { state: this.#state, fingerprint }));
    signal.throwIfAborted();
  }

  async step({ step, epoch, examples }: PlannedStep): Promise<void> {
    const { config, batches, model } = this.#task;
    const { schedule, optimizer, clip_norm: clipNorm, on_spike: policy } = config;
    const { history } = this.#state;
    this.#epoch = epoch;
    const batch = batchPieces(examples, slicingOf(this.#task));
    const learningRate = learningRateAt({
      schedule,
      peak: optimizer.learning_rate,
      step,
      totalSteps: this.#totalSteps,
    });
    const rates = dropoutRates(config, model.config);
    const dropout = dropoutOfStep({ rates, seed: batches.recipe.seed, step });
    const { loss, norm, spike } = await this.#throughput.measure(batch.tokens, () =>
      takeStep(this.#state, {
        ...{ step, batch, learningRate, clipNorm, dropout },
        isSpike: policy && ((loss) => isSpike(loss, { history, policy })),
      }),
    );
    await this.#record({
      type: 'step',
      step,
      epoch,
      loss,
      learning_rate: learningRate,
      gradient_norm: norm,
      tokens: this.#state.tokens + batch.tokens,
      ...(spike ? { spike } : {}),
    });
    const { tokensPerSecond } = this.#throughput;
    this.#task.onProgress({ step, totalSteps: this.#totalSteps, loss, learningRate, tokensPerSecond });
  }

  get isEvaluationDue(): boolean {
    const { every } = this.#task.config.evaluate;
    return isEvaluationDue({ step: this.#state.step, every });
  }

  /** Whether the last weights have not been judged yet. */
  get isLastEvaluationDue(): boolean {
    return this.#state.step === this.#totalSteps && !this.isEvaluationDue;
  }

  /** Keeps the state for longer trainings. It holds nothing yet that depends on this epoch being the last. */
  async keepEpoch(): Promise<void> {
    const { checkpointPath, fingerprint, config, onNote } = this.#task;
    if (checkpointPath === undefined || config.keep_epochs === 0) return;
    const kept = { epoch: this.#epoch, state: this.#state, most: config.keep_epochs };
    // It is there to save work: a full disk is no reason to lose a training.
    await keepEpoch({ folder: checkpointPath, fingerprint }, kept).catch((error: Error) =>
      onNote(`the state after epoch ${this.#epoch} is not kept: ${error.message}`),
    );
  }

  /** Measures the losses, and keeps a copy of the weights where they are the best so far and the best are wanted. */
  async evaluate(): Promise<void> {
    const { step } = this.#state;
    const losses = await evaluate(this.#state, this.#sets);
    await this.#record({ type: 'evaluation', step, epoch: this.#epoch, ...losses });
    if (this.#task.config.keep === 'best' && this.#bestStep() === step) this.#state.keepAsBest();
  }

  /** Whether it ends before its last step. */
  get isStopped(): boolean {
    return this.#isPatienceSpent || this.#isSpiked;
  }

  get #isSpiked(): boolean {
    const last = this.#state.history.findLast((entry) => entry.type === 'step');
    return this.#task.config.on_spike?.action === 'stop' && last?.spike === true;
  }

  get #isPatienceSpent(): boolean {
    const { early_stop } = this.#task.config;
    return early_stop !== undefined && isPatienceSpent(validationLosses(this.#state.history), early_stop);
  }

  async sample(): Promise<void> {
    const { model, tokenizer, config } = this.#task;
    const maxNewTokens = config.sample.max_new_tokens;
    const example = this.#exampleToContinue();
    if (maxNewTokens === 0 || example === undefined) return;
    const written = await writeSample({ model, tokenizer, example, maxNewTokens });
    await this.#record({ type: 'sample', step: this.#state.step, epoch: this.#epoch, ...written });
    this.#task.onNote(`after epoch ${this.#epoch} the model writes: ${oneLine(written.response)}`);
  }

  /** Leaves in the model the weights that were asked for. */
  async end(): Promise<TrainingSummary> {
    const { step } = this.#state;
    const best = this.#bestStep();
    this.#state.returnToBest();
    await this.#record({
      type: 'end',
      step,
      epoch: this.#epoch,
      ...(best === undefined ? {} : { best_step: best }),
      reason: this.#isSpiked ? 'loss_spike' : step < this.#totalSteps ? 'early_stop' : 'completed',
    });
    return { steps: step, tokensPerSecond: this.#throughput.tokensPerSecond };
  }

  [Symbol.dispose](): void {
    this.#state[Symbol.dispose]();
  }

  async #record(entry: HistoryEntry): Promise<void> {
    this.#state.record(entry);
    await this.#task.onEntry(entry);
  }

  #bestStep(): number | undefined {
    return bestStep(validationLosses(this.#state.history));
  }

  #exampleToContinue(): Example | undefined {
    return (this.#task.validation ?? this.#task.batches).examples[0];
  }
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim();

/** How fast tokens go through the steps that are measured. */
class Throughput {
  readonly #clock: () => number;
  #tokens = 0;
  #milliseconds = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  async measure<Result>(tokens: number, step: () => Promise<Result>): Promise<Result> {
    const begun = this.#clock();
    const result = await step();
    this.#milliseconds += this.#clock() - begun;
    this.#tokens += tokens;
    return result;
  }

  /** 0 where nothing was measured. */
  get tokensPerSecond(): number {
    return this.#milliseconds === 0 ? 0 : (1000 * this.#tokens) / this.#milliseconds;
  }
}
