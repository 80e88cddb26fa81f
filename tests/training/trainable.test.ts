import { beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/user-error.ts';
import { type LanguageModel, openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { gradientsOnHost } from './gradients-on-host.ts';
import { countingExamples, plainConfig, TinyTraining, tinyModel } from './tiny-training.ts';

const batch = splitBatch(countingExamples(3), { endOfText: 59, microBatchSize: undefined });

async function tuned<Result>(
  trainable: string[] | undefined,
  look: (model: LanguageModel) => Result | Promise<Result>,
): Promise<Result> {
  const model = await openLanguageModel(tinyModel);
  try {
    const config = trainable === undefined ? {} : { trainable };
    return await look(tuneModel(model, { config, seed: 0 }).model);
  } finally {
    model.dispose();
  }
}

const lastBlock = ['transformer.h.1*', 'ln_f.weight', '!mlp.c_proj.bias'];

describe.each(['cpu', 'onnx'] as const)('parameters that `trainable` names (%s)', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it('have the same gradients as when all are trained, and the others have none', async () => {
    const all = await tuned(undefined, (model) => gradientsOnHost(model, batch));
    const some = await tuned(lastBlock, (model) => gradientsOnHost(model, batch));
    expect([...some.gradients.keys()]).toEqual(
      [...all.gradients.keys()].filter(
        (name) =>
          name === 'transformer.ln_f.weight' ||
          (name.startsWith('transformer.h.1.') && name !== 'transformer.h.1.mlp.c_proj.bias'),
      ),
    );
    expect(some.loss).toBe(all.loss);
    expect(some.gradients).toEqual(new Map([...all.gradients].filter(([name]) => some.gradients.has(name))));
  });
});

describe('`trainable`', () => {
  it('leaves the frozen weights unchanged, and trains the others', async () => {
    await using training = await TinyTraining.create();
    const before = await tuned(undefined, (model) => valuesOf(model));
    const { weights } = await training.run({ config: { ...plainConfig, trainable: lastBlock } });
    const changed = [...weights.keys()].filter((name) => `${weights.get(name)}` !== `${before.get(name)}`);
    expect(changed).toEqual(await tuned(lastBlock, (model) => [...model.trainable.keys()]));
  });

  it('is refused if a pattern matches nothing, or if all of them select nothing', async () => {
    const refusal = (trainable: string[]) =>
      tuned(trainable, () => undefined).catch((error: unknown) =>
        error instanceof UserError ? [error.code, error.message, error.help] : error,
      );
    expect(await refusal(['transformer.h.1*', 'h.7*'])).toEqual([
      'unknown-parameter',
      '`trainable` has `h.7*`, which matches no parameter of the model',
      "`*` stands for any characters; the model's 28 parameters start with `transformer.wte.weight`, `transformer.wpe.weight`, `transformer.h.0.ln_1.weight`, `transformer.h.0.ln_1.bias`",
    ]);
    expect(await refusal(['!ln_f.bias'])).toEqual([
      'nothing-trainable',
      "`trainable` selects none of the model's 28 parameters",
      'start with a pattern that does: trainable: ["*", "!transformer.wte.weight"]',
    ]);
  });
});

const valuesOf = ({ parameters }: LanguageModel) =>
  new Map([...parameters].map(([name, variable]) => [name, variable.dataSync<'float32'>().slice()] as const));
