import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/user-error.ts';
import type { PlainBatches } from '../../src/training/batches/batch-plan.ts';
import type { TrainingTask } from '../../src/training/training-task.ts';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

async function refusal(task: Partial<TrainingTask>) {
  await using training = await TinyTraining.create();
  const error = await training.run(task).catch((error: unknown) => error);
  if (!(error instanceof UserError)) throw error;
  const { code, message, help } = error;
  return { code, message, help };
}

const withBatches = async (batches: Partial<PlainBatches>) => ({ batches: await tinyBatches(batches) });
const [example] = countingExamples(1);
if (example === undefined) throw new Error('one example is there');

describe('a training refuses', () => {
  it("batches of another vocabulary than the model's", async () => {
    const { vocabulary } = await tinyBatches();
    expect(await refusal(await withBatches({ vocabulary: 'r50k_base' }))).toEqual({
      code: 'vocabulary-mismatch',
      message: `the batches at \`train\` were made with the encoding r50k_base, but the model reads a tokenizer.json whose sha256 starts with ${vocabulary.slice(7, 19)}`,
      help: "tokenize with the model's own tokenizer: from: { records: split, tokenizer: base.tokenizer }",
    });
  });

  it('an example that is longer than the context', async () => {
    const examples = countingExamples(4, 20);
    expect(await refusal(await withBatches({ examples }))).toEqual({
      code: 'example-too-long',
      message: "4 of 4 examples at the port `train` are longer than the model's context of 16 tokens",
      help: 'set `max_length: 16` or less in collate',
    });
  });

  it('a token that the model does not have', async () => {
    const examples = [{ ...example, inputs: Int32Array.of(3, 60), targets: Int32Array.of(60, 59) }];
    const recipe = { batchSize: 1, shuffle: false, dropLast: false, seed: 1 };
    expect(await refusal(await withBatches({ examples, recipe }))).toEqual({
      code: 'unknown-token',
      message:
        '1 of 1 examples at the port `train` have a token id that the model, with its 60 tokens, does not have',
      help: "the tokenizer has more tokens than the model's `vocab_size`: they belong to different models",
    });
  });

  it('too few examples for one batch', async () => {
    expect(await refusal(await withBatches({ examples: countingExamples(2) }))).toEqual({
      code: 'no-batch',
      message: 'the port `train` has 2 examples, too few for a batch of 3',
      help: 'give it more records, or a smaller `batch_size`, or `drop_last: false` in collate',
    });
  });

  it('a batch in which nothing is learned, before the first step', async () => {
    const examples = countingExamples(6).map((each, index) =>
      index < 3 ? { ...each, targets: each.targets.map(() => -100) } : each,
    );
    const recipe = { batchSize: 3, shuffle: false, dropLast: false, seed: 1 };
    expect(await refusal(await withBatches({ examples, recipe }))).toEqual({
      code: 'nothing-to-learn',
      message: 'step 1 has no token to learn in any of its 3 examples',
      help: 'the responses were cut off or are masked: raise `max_length` in collate, or drop these records',
    });
  });

  it('to keep the best weights without a validation loss', async () => {
    expect(await refusal({ config: { ...plainConfig, keep: 'best' } })).toEqual({
      code: 'no-validation',
      message: '`keep: best` needs a validation loss, and nothing is bound to the port `validation`',
      help: 'bind it: from: { model: base, train: collate.train, validation: collate.validation }',
    });
  });

  it('to continue once the loss is not finite', async () => {
    const optimizer = { ...plainConfig.optimizer, learning_rate: 1e30 };
    expect(
      await refusal({ config: { ...plainConfig, optimizer, evaluate: { every: 100, batches: 1 } } }),
    ).toEqual({
      code: 'loss-not-finite',
      message: 'after 1 steps the loss on the examples at `train` is NaN',
      help: 'try a lower `optimizer.learning_rate`, a warm-up (`schedule.warmup_steps`) or `clip_norm: 1`',
    });
  });
});
