import { isObject, type JsonObject, numberIn } from '../core/index.ts';
import { readJsonl } from '../formats/index.ts';
import { isPreferenceMeasure } from '../training/index.ts';

/** What was measured of the weights that a training kept. */
export interface KeptLoss {
  readonly step: number;
  readonly train_loss?: number;
  readonly validation_loss?: number;
  /** Losses of several validation sets and scores of answers, by their names. */
  readonly measures?: Readonly<Record<string, number>>;
}

/** The losses of the last evaluation, or of that of the weights that were the best and are kept. */
export async function readKeptLoss(path: string, keepsBest: boolean): Promise<KeptLoss | undefined> {
  const evaluations: MeasuredEntry[] = [];
  let end: JsonObject = {};
  for await (const { value } of readJsonl(path)) {
    if (!isObject(value)) continue;
    if (value.type === 'end') end = value;
    const [step, train, validation] = [value.step, value.train_loss, value.validation_loss].map(numberIn);
    if (step === undefined || (value.type !== 'evaluation' && value.type !== 'generation')) continue;
    evaluations.push({ step, train, validation, measures: measuresIn(value) });
  }
  return keptLoss(evaluations, keepsBest ? numberIn(end.best_step) : undefined);
}

/** What one entry of a history measures. */
interface MeasuredEntry {
  readonly step: number;
  readonly train: number | undefined;
  readonly validation: number | undefined;
  readonly measures: Readonly<Record<string, number>>;
}

function measuresIn({ validation_losses: losses, figures, metrics }: JsonObject): MeasuredEntry['measures'] {
  const sets = Object.entries(isObject(losses) ? losses : {}).map(
    ([name, loss]) => [`validation_loss/${name}`, loss] as const,
  );
  const preferences = Object.entries(isObject(figures) ? figures : {}).filter(([name]) =>
    isPreferenceMeasure(name),
  );
  const measured = [...sets, ...preferences, ...Object.entries(isObject(metrics) ? metrics : {})];
  return Object.fromEntries(
    measured.flatMap(([name, value]) => {
      const number = value === undefined ? undefined : numberIn(value);
      return number === undefined ? [] : [[name, number]];
    }),
  );
}

/** Of each figure the latest one up to the step whose weights are kept. */
function keptLoss(entries: readonly MeasuredEntry[], best: number | undefined): KeptLoss | undefined {
  const kept = entries.filter(({ step }) => best === undefined || step <= best);
  const last = kept.findLast(({ train }) => train !== undefined);
  if (last === undefined) return undefined;
  const measures = Object.assign({}, ...kept.map(({ measures }) => measures));
  return {
    step: last.step,
    ...(last.train === undefined ? {} : { train_loss: last.train }),
    ...(last.validation === undefined ? {} : { validation_loss: last.validation }),
    ...(Object.keys(measures).length === 0 ? {} : { measures }),
  };
}
