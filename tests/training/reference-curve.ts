import type { LanguageModel } from '../../src/model/language-model.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { takeStep } from '../../src/training/take-step.ts';

/** The data on which reference-curve.py trained. */
export interface ReferenceCurve {
  readonly end_of_text: number;
  readonly learning_rate: number;
  /** Rows of token ids, without an end of text. */
  readonly batches: readonly (readonly number[][])[];
  readonly paddingFree: boolean;
}

/** Trains like the reference experiment, and returns the loss of each step. */
export async function trainOnCurve(model: LanguageModel, curve: ReferenceCurve): Promise<readonly number[]> {
  const { end_of_text: endOfText, learning_rate: learningRate, paddingFree } = curve;
  const state = new TrainingState(model, {
    ...{ name: 'adamw', learning_rate: learningRate, weight_decay: 0.1 },
    ...{ betas: [0.9, 0.999], epsilon: 1e-8, decay: 'all' },
  });
  const losses: number[] = [];
  for (const [index, rows] of curve.batches.entries()) {
    const examples = rows.map((row, id) => ({
      id: `${id}`,
      inputs: Int32Array.from(row),
      targets: Int32Array.from([...row.slice(1), endOfText]),
      promptLength: 1,
    }));
    const batch = splitBatch(examples, { endOfText, multipleOf: 16, microBatchSize: undefined, paddingFree });
    const { loss } = await takeStep(state, { step: index + 1, batch, learningRate, clipNorm: undefined });
    losses.push(loss);
  }
  return losses;
}
