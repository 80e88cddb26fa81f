import { beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/core/json.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { type ModelConfig, parseModelConfig } from '../../src/model/model-config.ts';
import { openTensorBackend } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { dropoutOfStep, dropoutRates, noteUnusedDropout } from '../../src/training/dropout.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import { rewriteValues } from '../../src/training/optimizer/trained-parameter.ts';
import { tuneModel } from '../../src/training/tune-model.ts';
import { backendsUnderTest } from '../backends-under-test.ts';
import { gradientsOnHost } from './gradients-on-host.ts';
import { countingExamples, plainConfig, TinyTraining, tinyModel } from './tiny-training.ts';

const rates = { embedding: 0.1, attention: 0.3, residual: 0.2, adapter: 0.5 };
const site = { place: 'residual', name: 'block', shape: [100, 200] } as const;
const factorsAt = (moment: { seed?: number; step?: number; microBatch?: number; name?: string }) => {
  const { seed = 1, step = 1, microBatch = 0, name = 'block' } = moment;
  return (
    dropoutOfStep({ rates, seed, step })(microBatch)?.({ ...site, name })?.dataSync() ?? new Float32Array()
  );
};

beforeAll(async () => {
  await openTensorBackend({ backend: 'cpu' });
});

describe('dropout', () => {
  it('drops its share of elements and scales up the others', () => {
    const factors = factorsAt({});
    expect([...new Set(factors)].sort()).toEqual([0, 1.25]);
    const dropped = factors.filter((factor) => factor === 0).length / factors.length;
    expect(Math.abs(dropped - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / factors.length));
  });

  it('is the same for the same seed, step, micro-batch and site, and independent if one differs', () => {
    const factors = factorsAt({});
    expect(factorsAt({})).toEqual(factors);
    for (const other of [{ seed: 2 }, { step: 2 }, { microBatch: 1 }, { name: 'next block' }]) {
      const others = factorsAt(other);
      const both = factors.filter((factor, index) => factor === 0 && others[index] === 0).length;
      expect(Math.abs(both / factors.length - 0.04)).toBeLessThan(4 * Math.sqrt((0.04 * 0.96) / 20_000));
    }
  });

  it('is off in evaluation', async () => {
    await using training = await TinyTraining.create();
    const evaluated = async (dropout: TrainConfig['dropout']) =>
      (await training.run({ config: { ...plainConfig, dropout } })).history.find(
        ({ type }) => type === 'evaluation',
      );
    const rate = 0.5;
    expect(await evaluated({ embedding: rate, attention: rate, residual: rate })).toEqual(
      await evaluated(plainConfig.dropout),
    );
  });
});

describe('the dropout of a model’s config.json', () => {
  const sizes = { n_positions: 8, n_embd: 4, n_head: 2, n_layer: 1, vocab_size: 9 };
  const gpt2 = (rates: JsonObject) =>
    parseModelConfig('config.json', { model_type: 'gpt2', ...sizes, ...rates });
  const llama = parseModelConfig('config.json', {
    ...{
      model_type: 'llama',
      vocab_size: 9,
      max_position_embeddings: 8,
      hidden_size: 4,
      intermediate_size: 8,
    },
    ...{ num_hidden_layers: 1, num_attention_heads: 2, attention_dropout: 0.25 },
  });

  it('is used by `dropout: model`, with transformers’ defaults for absent fields', () => {
    const ratesOf = (model: ModelConfig) => dropoutRates({ dropout: 'model' }, { config: model });
    const others = { embedding: 0.1, attention: 0.1, residual: 0.1, adapter: 0 };
    expect(ratesOf(gpt2({}))).toEqual(others);
    expect(ratesOf(gpt2({ embd_pdrop: 0, attn_pdrop: 0.2 }))).toEqual({
      ...others,
      embedding: 0,
      attention: 0.2,
    });
    expect(ratesOf(llama)).toEqual({ embedding: 0, attention: 0.25, residual: 0, adapter: 0 });
    expect(() => ratesOf(gpt2({ resid_pdrop: 1 }))).toThrow(
      "the model's config.json has 1 as `resid_pdrop`: a number from 0 to below 1 is needed",
    );
  });

  it('is noted if the training uses another', () => {
    const notesOf = (model: ModelConfig, dropout: TrainConfig['dropout']) => {
      const notes: string[] = [];
      noteUnusedDropout({
        config: { ...plainConfig, dropout },
        model: { config: model },
        onNote: (note) => notes.push(note),
      });
      return notes;
    };
    const none = { embedding: 0, attention: 0, residual: 0 };
    const stated = gpt2({ embd_pdrop: 0.1, attn_pdrop: 0.1, resid_pdrop: 0 });
    expect(notesOf(stated, none)).toEqual([
      "the model's config.json has embd_pdrop 0.1, attn_pdrop 0.1, which is ignored here: `dropout: model` uses it, as transformers does",
    ]);
    expect(notesOf(llama, none)).toHaveLength(1);
    for (const used of ['model', { embedding: 0.1, attention: 0.1, residual: 0 }] as const)
      expect(notesOf(stated, used)).toEqual([]);
    expect(notesOf(gpt2({}), none)).toEqual([]);
  });
});

const lora = { ...defaultLora, r: 3, alpha: 6, dropout: 0.5 };

describe.each(backendsUnderTest)('with dropout on the %s backend', (backend) => {
  beforeAll(async () => {
    await openTensorBackend({ backend });
  });

  it.each([
    ['all weights', {}],
    ['adapters', { lora }],
  ])('the loss changes along the gradient of %s as fast as the gradient says', async (_, config) => {
    const model = await openLanguageModel(tinyModel);
    using tuned = tuneModel(model, { config, seed: 3 });
    for (const [name, variable] of tuned.model.trainable)
      if (name.endsWith('lora_B.weight'))
        rewriteValues(variable, (values) => values.set(values.map((_, place) => 0.1 * Math.sin(place))));
    const batch = splitBatch(countingExamples(4), { endOfText: 59, microBatchSize: 2 });
    const dropout = dropoutOfStep({ rates, seed: 1, step: 1 });
    const { gradients } = await gradientsOnHost(tuned.model, { ...batch, dropout });
    const norm = Math.hypot(...[...gradients.values()].flatMap((values) => [...values]));
    const lossAt = async (distance: number) => {
      const move = (by: number) => {
        for (const [name, variable] of tuned.model.trainable)
          rewriteValues(variable, (values) =>
            values.set(
              values.map((value, place) => value + (by * (gradients.get(name)?.[place] ?? 0)) / norm),
            ),
          );
      };
      move(distance);
      const { loss } = await gradientsOnHost(tuned.model, { ...batch, dropout });
      move(-distance);
      return loss;
    };
    const slope = ((await lossAt(0.02)) - (await lossAt(-0.02))) / 0.04;
    model.dispose();
    expect(Math.abs(slope / norm - 1)).toBeLessThan(5e-3);
  });
});
