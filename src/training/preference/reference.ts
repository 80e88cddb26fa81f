import type { TrainConfig } from '../../generated/train-config.ts';
import type { LanguageModel } from '../../model/index.ts';
import type { ProductPrecision } from '../../tensor/index.ts';
import { type Answer, type Batches, type BatchItem, textsOf } from '../batches/batch-plan.ts';
import type { BatchLayout } from '../batches/micro-batch.ts';
import { logProbValues, summedTexts } from './answer-log-probs.ts';
import { usesReference } from './preference-settings.ts';

interface Referring {
  /** The reference model. */
  readonly model: LanguageModel;
  /** That of the training that compares with it; float32 by default. */
  readonly precision?: ProductPrecision;
  /** `microBatchSize` items are computed at a time. */
  readonly layout: BatchLayout;
  readonly signal: AbortSignal;
  /** Called before every `microBatchSize` items. */
  readonly onProgress: (done: number, total: number) => void;
}

/** Whether a training has to compute the reference's log-probabilities of these batches itself. */
export const lacksReference = (
  config: Pick<TrainConfig, 'objective' | 'preference'>,
  batches: Batches,
): boolean =>
  usesReference(config) &&
  batches.examples.flatMap(answersOf).some(({ reference }) => reference === undefined);

const answersOf = (item: BatchItem): readonly Answer[] => textsOf(item);

/** The batches with the log-probability of every answer by a reference model. Throws the signal's reason when aborted. */
export async function withReference(batches: Batches, referring: Referring): Promise<Batches> {
  switch (batches.preference) {
    case 'paired': {
      const values = await referencesOf(batches.examples, referring);
      const examples = batches.examples.map(({ id, chosen, rejected }, index) => ({
        id,
        chosen: { ...chosen, reference: values[2 * index] ?? 0 },
        rejected: { ...rejected, reference: values[2 * index + 1] ?? 0 },
      }));
      return { ...batches, examples };
    }
    case 'unpaired': {
      const values = await referencesOf(batches.examples, referring);
      const examples = batches.examples.map(({ answer, mismatched, ...item }, index) => ({
        ...item,
        answer: { ...answer, reference: values[2 * index] ?? 0 },
        mismatched: { ...mismatched, reference: values[2 * index + 1] ?? 0 },
      }));
      return { ...batches, examples };
    }
    default:
      return batches;
  }
}

/** Two for each item, in the order of its texts. */
async function referencesOf(
  items: readonly BatchItem[],
  { model, precision = 'float32', layout, signal, onProgress }: Referring,
): Promise<readonly number[]> {
  const { microBatchSize: size = items.length } = layout;
  const values: number[] = [];
  for (let start = 0; start < items.length; start += size) {
    signal.throwIfAborted();
    onProgress(start, items.length);
    const texts = items.slice(start, start + size).flatMap(answersOf);
    values.push(...(await logProbValues(model, summedTexts(texts, layout), precision)));
  }
  return values;
}
