import { figuresIn, type HistoryEntry, isPreferenceMeasure } from '../training/index.ts';

/** A training's history as curves over its steps. */
export interface Curves {
  /** Of each step's batch. */
  readonly loss: readonly CurvePoint[];
  /** Losses of fixed batches of the training set, as the evaluations measured them. */
  readonly train: readonly CurvePoint[];
  /** Of the validation set; of several sets that which is watched, or else the first. */
  readonly validation: readonly CurvePoint[];
  /** The name of that set, where there are several. */
  readonly validation_set?: string;
  /** All else that was measured: losses of several validation sets (`validation_loss/easy`), how well preferences are learned, and scores of answers. */
  readonly measures?: Readonly<Record<string, readonly CurvePoint[]>>;
  readonly learning_rate: readonly CurvePoint[];
  /** Before clipping. */
  readonly gradient_norm: readonly CurvePoint[];
  /** The steps that changed no weight, because their loss was a spike. */
  readonly spikes: readonly number[];
  /** The step with the lowest validation loss, or with the best of what was watched; the earliest of equals. */
  readonly best_step?: number;
  /** What was watched, if not the validation loss. */
  readonly best_by?: string;
  /** The step whose weights became the output; absent while the training goes on. */
  readonly kept_step?: number;
  readonly overfitting?: Overfitting;
}

/** The curves of a training, with the name by which a reader knows it: a stage, a run, or both. */
export interface NamedCurves extends Curves {
  readonly name: string;
}

export interface CurvePoint {
  /** 1 is the first optimizer step; 0 is before training. */
  readonly step: number;
  readonly epoch: number;
  readonly value: number;
}

/** From here on the training loss falls and the validation loss rises. */
export interface Overfitting {
  /** The step with the lowest validation loss. */
  readonly step: number;
  readonly epoch: number;
  readonly validation_loss: number;
  /** The validation loss of the last evaluation. */
  readonly last_validation_loss: number;
}

/** The curves of a history, which may be that of a training that goes on. `keep` is the field of train. */
export function curvesOf(history: readonly HistoryEntry[], keep: 'last' | 'best'): Curves {
  const steps = history.filter((entry) => entry.type === 'step');
  const evaluations = history.filter((entry) => entry.type === 'evaluation');
  const train = evaluations.map((entry) => pointOf(entry, entry.train_loss));
  const end = history.find((entry) => entry.type === 'end');
  const measures = measuresIn(history);
  const set = watchedSet(Object.keys(measures), end?.best_by);
  const validation =
    set === undefined
      ? evaluations.flatMap((entry) =>
          entry.validation_loss === undefined ? [] : [pointOf(entry, entry.validation_loss)],
        )
      : (measures[`${setPrefix}${set}`] ?? []);
  const best = end?.best_by === undefined ? lowest(validation)?.step : end.best_step;
  const kept = keep === 'best' ? (end?.best_step ?? end?.step) : end?.step;
  const overfitting = overfittingIn({ train, validation });
  return {
    loss: steps.map((entry) => pointOf(entry, entry.loss)),
    train,
    validation,
    ...(set !== undefined && { validation_set: set }),
    ...(Object.keys(measures).length > 0 && { measures }),
    learning_rate: steps.map((entry) => pointOf(entry, entry.learning_rate)),
    gradient_norm: steps.flatMap((entry) =>
      entry.gradient_norm === undefined ? [] : [pointOf(entry, entry.gradient_norm)],
    ),
    spikes: steps.filter(({ spike }) => spike === true).map(({ step }) => step),
    ...(best !== undefined && { best_step: best }),
    ...(end?.best_by !== undefined && { best_by: end.best_by }),
    ...(kept !== undefined && { kept_step: kept }),
    ...(overfitting && { overfitting }),
  };
}

/** The names of validation losses of several sets begin with this. */
const setPrefix = 'validation_loss/';

/** Of what is measured in evaluations, losses are better when lower, and scores of answers when higher. */
export const isLoss = (measure: string): boolean => measure.startsWith(setPrefix);

function measuresIn(history: readonly HistoryEntry[]): Readonly<Record<string, readonly CurvePoint[]>> {
  const measures: Record<string, CurvePoint[]> = {};
  for (const entry of history) {
    if (entry.type !== 'evaluation' && entry.type !== 'generation') continue;
    for (const [name, value] of Object.entries(figuresIn(entry)))
      if (entry.type === 'generation' || isLoss(name) || isPreferenceMeasure(name)) {
        const points = measures[name] ?? [];
        measures[name] = points;
        points.push(pointOf(entry, value));
      }
  }
  return measures;
}

function watchedSet(measures: readonly string[], watched: string | undefined): string | undefined {
  const sets = measures.filter(isLoss);
  const set = sets.find((name) => name === watched) ?? sets[0];
  return set?.slice(setPrefix.length);
}

const pointOf = ({ step, epoch }: HistoryEntry, value: number): CurvePoint => ({ step, epoch, value });

const lowest = (points: readonly CurvePoint[]): CurvePoint | undefined =>
  points.reduce<CurvePoint | undefined>(
    (best, next) => (best === undefined || next.value < best.value ? next : best),
    undefined,
  );

/** Fewer evaluations after the lowest validation loss may be chance. */
const LEAST_EVALUATIONS = 3;
/** The share by which both losses must have moved since the lowest validation loss; less may be noise. */
const LEAST_CHANGE = 0.01;

/**
 * Overfitting begins at the lowest validation loss if at least three evaluations follow it, and in the last three of them
 * the validation loss is on average more than 1 % above it and the training loss more than 1 % below what it was there.
 */
function overfittingIn({ train, validation }: Pick<Curves, 'train' | 'validation'>): Overfitting | undefined {
  const best = lowest(validation);
  const trainThere = train.find(({ step }) => step === best?.step);
  if (best === undefined || trainThere === undefined) return undefined;
  const later = validation.filter(({ step }) => step > best.step);
  const last = later.at(-1);
  if (last === undefined || later.length < LEAST_EVALUATIONS) return undefined;
  const rises = lastMean(later) > best.value * (1 + LEAST_CHANGE);
  const falls = lastMean(train) < trainThere.value * (1 - LEAST_CHANGE);
  if (!rises || !falls) return undefined;
  return {
    step: best.step,
    epoch: best.epoch,
    validation_loss: best.value,
    last_validation_loss: last.value,
  };
}

function lastMean(points: readonly CurvePoint[]): number {
  const values = points.slice(-LEAST_EVALUATIONS).map(({ value }) => value);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
