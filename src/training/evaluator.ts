import { batchesPerEpoch } from './batches/batch-plan.ts';
import { type BestMetric, bestStep, validationFigure, validationFigures } from './best-metric.ts';
import { type EvaluationSets, evaluate, evaluationSets, isEvaluationDue } from './evaluation.ts';
import { figuresIn, type HistoryEntry } from './history.ts';
import type { TrainingState } from './state/training-state.ts';
import type { TrainingProgress, TrainingSummary, TrainingTask } from './training-task.ts';

type Phase = Pick<TrainingProgress, 'evaluating' | 'answering'>;

interface EvaluatorOptions {
  readonly state: TrainingState;
  readonly log: (entry: HistoryEntry) => Promise<void>;
  readonly report: (phase: Phase) => void;
}

/** Where a training is when it measures. */
interface Place {
  readonly epoch: number;
  /** Whether no step follows: then all is measured. */
  readonly isLast: boolean;
}

/** Measures a training between its steps: the losses of fixed batches, and how good the model's answers are. */
export class Evaluator {
  /** What decides which weights are the best. */
  readonly metric: BestMetric;
  readonly #task: TrainingTask;
  readonly #options: EvaluatorOptions;
  readonly #sets: EvaluationSets;
  readonly #stepsPerEpoch: number;
  #answering = { times: 0, answers: 0, tokens: 0, milliseconds: 0 };

  constructor(task: TrainingTask, options: EvaluatorOptions) {
    const { config, answers, batches } = task;
    const name = config.metric_for_best_model;
    const { figure } = validationFigure(name);
    const own = validationFigures(config.objective).get(figure);
    this.metric = { name, better: own ?? answers?.metrics.get(name) ?? 'lower' };
    this.#task = task;
    this.#options = options;
    this.#sets = evaluationSets(task);
    this.#stepsPerEpoch = batchesPerEpoch(batches.examples, batches.recipe);
  }

  /** What answering took in this attempt; undefined if it is not asked for. */
  get answering(): TrainingSummary['answering'] {
    return this.#task.answers && this.#answering;
  }

  /** Whether answers are due after the steps so far and have not been scored. */
  owesAnswers(isLast: boolean): boolean {
    const { answers } = this.#task;
    const { step } = this.#options.state;
    if (answers === undefined || this.#isMeasured('generation')) return false;
    return isLast || step % (answers.every ?? this.#stepsPerEpoch) === 0;
  }

  /** Measures what is due after the steps so far and is not in the history yet. */
  async measure(place: Place): Promise<void> {
    const { step } = this.#options.state;
    const isDue = place.isLast || isEvaluationDue(step, this.#task.config.evaluate.every);
    if (isDue && !this.#isMeasured('evaluation')) await this.#evaluate(place);
    if (this.owesAnswers(place.isLast)) await this.#answer(place);
  }

  #isMeasured(type: 'evaluation' | 'generation'): boolean {
    const { step, history } = this.#options.state;
    return history.findLast((entry) => entry.type === type)?.step === step;
  }

  async #evaluate({ epoch }: Place): Promise<void> {
    const { state, report } = this.#options;
    const losses = await evaluate(state, this.#sets, {
      precision: this.#task.config.precision,
      onBatch: (done, total) => report({ evaluating: { done, total } }),
    });
    await this.#log({ type: 'evaluation', step: state.step, epoch, ...losses });
  }

  async #answer({ epoch }: Place): Promise<void> {
    const { answers, signal, clock } = this.#task;
    const { state, report } = this.#options;
    if (answers === undefined) return;
    const started = clock();
    const scored = await answers.score(state.model, {
      signal,
      onAnswer: (done, total) => report({ answering: { done, total } }),
    });
    this.#answering = {
      times: this.#answering.times + 1,
      answers: this.#answering.answers + scored.rows,
      tokens: this.#answering.tokens + scored.tokens,
      milliseconds: this.#answering.milliseconds + clock() - started,
    };
    await this.#log({ type: 'generation', step: state.step, epoch, ...scored });
  }

  /** Logs an entry, and keeps a copy of the weights if it makes them the best so far and `keep: best` is set. */
  async #log(entry: Extract<HistoryEntry, { type: 'evaluation' | 'generation' }>): Promise<void> {
    const { state, log } = this.#options;
    await log(entry);
    if (!Object.hasOwn(figuresIn(entry), this.metric.name)) return;
    const { config, statePath } = this.#task;
    if (config.keep === 'best' && bestStep(state.history, this.metric) === state.step)
      await state.keepAsBest(statePath);
  }
}
