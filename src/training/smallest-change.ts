import type { TrainConfig } from '../generated/train-config.ts';
import { defaultLora } from './lora-settings.ts';

/** Of the longest text of the batches. */
export interface LongestText {
  /** Its tokens. */
  readonly length: number;
  /** The most targets that a text has. */
  readonly targets: number;
}

interface Question {
  /** Whether a training with these settings fits into memory. */
  readonly fits: (config: TrainConfig, longest: LongestText) => boolean;
  readonly longest: LongestText;
  /** How many examples of a batch are computed at a time now. */
  readonly items: number;
  /** Whether the backend computes on the processor, where a base can be kept in few bits. */
  readonly onProcessor: boolean;
}

/** A change of the settings, and what a user writes for it. */
interface Change {
  readonly apply: (config: TrainConfig) => TrainConfig;
  readonly words: readonly string[];
}

/**
 * The smallest change with which a training would fit, for a person to read: first those that leave the result as it is, then
 * an optimizer that keeps less, adapters, a base in few bits, and last shorter examples.
 */
export function smallestChange(config: TrainConfig, question: Question): string {
  const { fits, longest, items } = question;
  const checkpoints: Change = config.gradient_checkpointing
    ? asIs
    : {
        apply: (config) => ({ ...config, gradient_checkpointing: true }),
        words: ['`gradient_checkpointing: true`'],
      };
  if (checkpoints.words.length > 0 && fits(changed(config, [checkpoints]), longest))
    return `${checkpoints.words[0]} would fit, and the result is the same`;
  const ways = waysToTrain(config, question);
  for (const way of ways)
    for (const batch of [undefined, ...smallerBatches(items)]) {
      const changes = [way, ...(batch === undefined ? [checkpoints] : [checkpoints, microBatch(batch)])];
      if (fits(changed(config, changes), longest)) return sentence(changes);
    }
  const least = [ways.at(-1) ?? asIs, checkpoints, ...(items > 1 ? [microBatch(1)] : [])];
  for (let length = Math.floor((longest.length - 1) / 64) * 64; length >= 64; length -= 64) {
    const shorter = { length, targets: Math.min(length, longest.targets) };
    const words = [`\`max_length: ${length}\` in collate`];
    if (fits(changed(config, least), shorter)) return sentence([...least, { ...asIs, words }]);
  }
  return 'no setting of this stage would fit: take a smaller model, or a machine with more memory';
}

const asIs: Change = { apply: (config) => config, words: [] };

const changed = (config: TrainConfig, changes: readonly Change[]): TrainConfig =>
  changes.reduce((before, { apply }) => apply(before), config);

function sentence(changes: readonly Change[]): string {
  const words = changes.flatMap(({ words }) => words);
  return `${words.join(', ')} would fit${words.length > 1 ? ' together' : ''}`;
}

/** Ways to train, from the one that is configured to the one that takes the least. */
function waysToTrain(config: TrainConfig, { onProcessor }: Question): readonly Change[] {
  const adapters: Change =
    config.lora === undefined
      ? {
          apply: ({ trainable: _, ...others }) => ({ ...others, lora: defaultLora }),
          words: [loraWords(config)],
        }
      : asIs;
  const smaller = ({ float32: ['int8', 'int4'], int8: ['int4'], int4: [] } as const)[config.base_precision];
  const precisions = onProcessor ? smaller : [];
  return [
    ...(config.lora === undefined ? [asIs, ...otherOptimizers(config)] : []),
    adapters,
    ...precisions.map((base_precision) => ({
      apply: (before: TrainConfig) => ({ ...adapters.apply(before), base_precision }),
      words: [...adapters.words, `\`base_precision: ${base_precision}\``],
    })),
  ];
}

const loraWords = ({ trainable }: TrainConfig): string =>
  trainable === undefined ? '`lora: {}`' : '`lora: {}` in place of `trainable`';

/** Adafactor, which keeps means of rows and columns only, at the rate of an optimizer that keeps numbers for every weight. */
function otherOptimizers({ optimizer }: TrainConfig): readonly Change[] {
  const { name, learning_rate } = optimizer;
  if (name === 'adafactor' || (name === 'sgd' && optimizer.momentum === 0)) return [];
  const adafactor: TrainConfig['optimizer'] = {
    name: 'adafactor',
    ...(learning_rate !== undefined && { learning_rate }),
    ...{ weight_decay: 0, decay: 'all', epsilon: [1e-30, 1e-3], clip_threshold: 1, decay_rate: -0.8 },
    ...{ scale_parameter: false, relative_step: false, warmup_init: false },
  };
  const words = [`\`optimizer: { name: adafactor, learning_rate: ${learning_rate} }\``];
  return [{ apply: (config) => ({ ...config, optimizer: adafactor }), words }];
}

const microBatch = (items: number): Change => ({
  apply: (config) => ({ ...config, micro_batch_size: items }),
  words: [`\`micro_batch_size: ${items}\``],
});

/** The least sizes for 2, 3, ... micro-batches. */
function smallerBatches(items: number): readonly number[] {
  const sizes = Array.from({ length: items - 1 }, (_, index) => Math.ceil(items / (index + 2)));
  return [...new Set(sizes)];
}
