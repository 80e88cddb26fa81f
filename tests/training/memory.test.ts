import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { UserError } from '../../src/core/index.ts';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { checkGenerationMemory } from '../../src/model/generation/generation-memory.ts';
import { totalMemory, trainingMemory } from '../../src/model/memory.ts';
import { parseModelConfig } from '../../src/model/model-config.ts';
import { fillDefaults } from '../../src/runtime/config/schema/applicable-schemas.ts';
import { trainStage } from '../../src/stages/train/train-stage.ts';
import { defaultLora } from '../../src/training/lora-settings.ts';
import { optimizerNumbers } from '../../src/training/optimizer/optimizer-numbers.ts';
import { checkTrainingMemory, trainedCount } from '../../src/training/training-memory.ts';
import { plainConfig } from './tiny-training.ts';

const gpt2 = (width: number, layers: number, heads: number, positions: number) =>
  parseModelConfig('gpt2', {
    model_type: 'gpt2',
    vocab_size: 50257,
    n_positions: positions,
    n_embd: width,
    n_layer: layers,
    n_head: heads,
  });
const small = gpt2(768, 12, 12, 1024);
const smaller = gpt2(512, 8, 8, 256);
const sgd = { learning_rate: 1e-3, weight_decay: 0, decay: 'all', momentum: 0.9, nesterov: false } as const;
const lora = { ...defaultLora, r: 16, alpha: 32, dropout: 0 };

/** Peaks of the process in a run of the stage on two threads, in GB. */
const measured = [
  { model: small, rows: 1, length: 64, lora: undefined, accumulates: false, peak: 2.627 },
  { model: small, rows: 8, length: 64, lora: undefined, accumulates: false, peak: 2.941 },
  { model: small, rows: 4, length: 256, lora: undefined, accumulates: false, peak: 3.605 },
  { model: small, rows: 2, length: 256, lora: undefined, accumulates: true, peak: 3.717 },
  { model: small, rows: 4, length: 256, lora, accumulates: false, peak: 2.248 },
  { model: smaller, rows: 8, length: 64, lora: undefined, accumulates: false, peak: 1.423 },
  { model: smaller, rows: 4, length: 256, lora: undefined, accumulates: false, peak: 1.934 },
];

test.each(measured)(
  '%j is expected to take what it took, within 5 %',
  ({ model, rows, length, lora, accumulates, peak }) => {
    const trained = trainedCount(model, lora === undefined ? {} : { lora });
    const shape = { rows, length, targets: rows * length, trained, accumulates, checkpoints: false };
    const need = trainingMemory(model, shape);
    expect(Math.abs(totalMemory(need) / 1e9 / peak - 1)).toBeLessThan(0.05);
  },
);

const examplesOf = (length: number) =>
  Array.from({ length: 8 }, (_, index) => ({
    id: `${index}`,
    inputs: new Int32Array(length),
    targets: new Int32Array(length),
    promptLength: 8,
  }));
const recipe = { batchSize: 8, shuffle: false, dropLast: false, seed: 0 };
const batches = { recipe, vocabulary: 'r50k_base', endOfText: 50256, answerEnds: [50256] };
const refusalAt = (limit: number, settings: Partial<TrainConfig> = {}, onProcessor = true, length = 256) => {
  const config = { ...plainConfig, epochs: 1, ...settings };
  try {
    checkTrainingMemory(
      { model: small, config, batches: { ...batches, examples: examplesOf(length) } },
      { limit, onProcessor },
    );
    return undefined;
  } catch (error) {
    return error;
  }
};
const available = '. The limit can be set: `resources: { memory: 16GB }`';

test('a training that does not fit is refused with its memory and a change that would fit', () => {
  expect(refusalAt(5e9)).toBeUndefined();
  expect(refusalAt(4e9)).toMatchObject({
    code: 'too-little-memory',
    message:
      'training would take about 4.9 GB of memory (weights 0.5, gradients 0.5, moments 1.0, activations 2.3, overhead 0.5), and 4.0 GB are available',
    help: `\`gradient_checkpointing: true\` would fit, and the result is the same${available}`,
  });
});

/** The settings of a suggestion, as its text says them. */
const settingsIn = (help: string): Partial<TrainConfig> & { readonly max_length?: number } =>
  Object.assign({}, ...[...help.matchAll(/`([a-z_]+: [^`]+)`/g)].map(([, yaml = '']) => parse(yaml)));

test.each([
  ['of all weights', {}, true],
  ['of all weights where no base can be in few bits', {}, false],
  ['of some weights', { trainable: ['transformer.h.1*'] }, true],
  ['of adapters', { lora }, true],
  [
    'of adapters on a base in 8 bits with checkpoints',
    { lora, base_precision: 'int8', gradient_checkpointing: true },
    true,
  ],
  ['in micro-batches by SGD', { micro_batch_size: 3, optimizer: { ...sgd, name: 'sgd' } }, true],
] satisfies readonly (readonly [string, Partial<TrainConfig>, boolean])[])(
  'whatever is suggested for a training %s fits, at every limit',
  (_, settings, onProcessor) => {
    const seen = new Set<string>();
    for (let limit = 5e9; limit > 0.3e9; limit *= 0.93) {
      const refusal = refusalAt(limit, settings, onProcessor);
      if (refusal === undefined) continue;
      expect(refusal).toBeInstanceOf(UserError);
      const help = String((refusal as UserError).help).replace(available, '');
      seen.add(help.replaceAll(/(micro_batch_size|max_length): \d+/g, '$1: N'));
      if (help.startsWith('no setting')) continue;
      const { max_length = 256, ...changed } = settingsIn(help);
      const { trainable: _, ...others } = { trainable: undefined, ...settings };
      const whole = help.includes('in place of `trainable`') ? others : settings;
      const filled = fillDefaults(trainStage.schema, { ...changed }) as unknown as TrainConfig; // the schema's own defaults
      const given = Object.fromEntries(
        Object.keys(changed).map((field) => [field, filled[field as keyof TrainConfig]]),
      );
      expect([help, refusalAt(limit, { ...whole, ...given }, onProcessor, max_length)]).toEqual([
        help,
        undefined,
      ]);
    }
    expect([...seen]).toMatchSnapshot();
  },
);

test('a generation that does not fit is refused with the batch size or the precision that fits', () => {
  const generation = { model: small, kind: 'writes', rows: 64, slots: 1024, precision: 'float32' } as const;
  expect(checkGenerationMemory({ ...generation, limit: 16e9 })).toBeGreaterThan(5e9);
  expect(() => checkGenerationMemory({ ...generation, limit: 3e9 })).toThrow(
    expect.objectContaining({ help: expect.stringMatching(/^`batch_size: \d+` would fit/) }),
  );
  expect(() => checkGenerationMemory({ ...generation, rows: 2, limit: 1.5e9 })).toThrow(
    expect.objectContaining({ help: expect.stringMatching(/^`precision: int8`/) }),
  );
});

test.each([
  [{ name: 'adamw' }, 2 * 600],
  [{ name: 'lion' }, 600],
  [{ name: 'sgd' }, 0],
  [{ name: 'sgd', momentum: 0.9 }, 600],
  [{ name: 'adafactor', learning_rate: 1 }, 20 + 25 + 100],
  [{ name: 'adafactor', learning_rate: 1, beta1: 0.9 }, 20 + 25 + 100 + 600],
])('of a matrix of 20 by 25 numbers and a vector of 100, %j keeps %i', (optimizer, state) => {
  const config = fillDefaults(trainStage.schema, { optimizer }) as unknown as TrainConfig; // the schema's own defaults
  expect(optimizerNumbers(config.optimizer, { shapes: [[20, 25], [100]], inPlace: true }).state).toBe(state);
});
