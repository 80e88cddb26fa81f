import { elementCount } from '../formats/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  adapterSize,
  type LoraSettings,
  type MemoryNeed,
  type ModelConfig,
  memoryError,
  nameSelection,
  parameterLayout,
  type TrainingShape,
  totalMemory,
  trainingMemory,
} from '../model/index.ts';
import { type Batches, type TargetedText, textsOf } from './batches/batch-plan.ts';
import { ignoredTarget } from './batches/micro-batch.ts';
import { defaultLora, loraSettings } from './lora-settings.ts';

interface PlannedTraining {
  readonly model: ModelConfig;
  readonly config: TrainConfig;
  readonly batches: Batches;
  /** Those of the adapter that `lora: continue` goes on with. */
  readonly adapter?: LoraSettings | undefined;
  /** In bytes. */
  readonly limit: number;
}

/** The expected peak memory of a training, in bytes. Throws a UserError that says what would fit if it is above the limit. */
export function checkTrainingMemory(training: PlannedTraining): number {
  const { model, limit } = training;
  const shape = largestShape(training);
  const need = trainingMemory(model, shape);
  if (totalMemory(need) <= limit) return totalMemory(need);
  throw memoryError({ what: 'training', need, limit, help: whatWouldFit(training, shape) });
}

/** The largest possible batch: the most rows, each as long as the longest example. */
function largestShape({ model, config, batches, adapter }: PlannedTraining): TrainingShape {
  const { examples, recipe } = batches;
  const texts = examples.flatMap(textsOf);
  const most = (of: (text: TargetedText) => number) => texts.reduce((max, one) => Math.max(max, of(one)), 1);
  const items = Math.min(config.micro_batch_size ?? recipe.batchSize, recipe.batchSize, examples.length || 1);
  const rows = rowsPerItem(batches) * items;
  const longest = recipe.packedLength ?? most(({ inputs }) => inputs.length);
  const padded = Math.ceil(longest / config.pad_to_multiple_of) * config.pad_to_multiple_of;
  const targets =
    recipe.packedLength ?? most(({ targets }) => targets.filter((target) => target !== ignoredTarget).length);
  return {
    rows,
    length: Math.min(padded, model.contextLength),
    targets: rows * targets,
    trained: trainedCount(model, { ...config, adapter }),
    accumulates: items < Math.min(recipe.batchSize, examples.length),
    checkpoints: config.gradient_checkpointing,
  };
}

/** The answers of a pair are computed together. */
const rowsPerItem = ({ preference }: Batches): number => (preference === 'paired' ? 2 : 1);

/** The smallest change that would fit: gradient checkpointing, then smaller micro-batches too, then LoRA, then shorter examples. */
function whatWouldFit({ model, config, batches, limit }: PlannedTraining, shape: TrainingShape): string {
  const perItem = rowsPerItem(batches);
  const fits = (need: MemoryNeed) => totalMemory(need) <= limit;
  if (fits(trainingMemory(model, { ...shape, checkpoints: true })))
    return '`gradient_checkpointing: true` would fit, and the result is the same';
  const accumulating = (rows: number, trained: number, length = shape.length) => ({
    rows,
    length,
    targets: (shape.targets * rows * length) / (shape.rows * shape.length),
    trained,
    accumulates: true,
    checkpoints: true,
  });
  const options =
    config.lora === undefined ? [shape.trained, trainedCount(model, { lora: defaultLora })] : [shape.trained];
  const settings = (trained: number, ...more: readonly string[]): string => {
    const all = [
      ...(shape.checkpoints ? [] : ['`gradient_checkpointing: true`']),
      ...(trained === shape.trained ? [] : ['`lora: {}`']),
      ...more,
    ];
    return `${all.join(', ')} would fit${all.length > 1 ? ' together' : ''}`;
  };
  for (const trained of options)
    for (let items = shape.rows / perItem - 1; items >= 1; items = Math.floor(items / 2))
      if (fits(trainingMemory(model, accumulating(items * perItem, trained))))
        return settings(trained, `\`micro_batch_size: ${items}\``);
  const least = options.at(-1) ?? shape.trained;
  for (let length = Math.floor(shape.length / 64) * 64; length >= 64; length -= 64)
    if (fits(trainingMemory(model, accumulating(perItem, least, length))))
      return settings(least, '`micro_batch_size: 1`', `\`max_length: ${length}\` in collate`);
  return 'no setting of this stage would fit: take a smaller model, or a machine with more memory';
}

/** How many numbers a training updates: its adapter's, or those of the parameters that its patterns select. */
export function trainedCount(
  config: ModelConfig,
  {
    lora,
    trainable = ['*'],
    adapter,
  }: Pick<TrainConfig, 'lora' | 'trainable'> & Pick<PlannedTraining, 'adapter'>,
): number {
  if (lora !== undefined) {
    const settings = lora === 'continue' ? adapter : loraSettings(lora, config);
    if (settings === undefined) throw new Error('`lora: continue` without an adapter');
    return adapterSize(config, settings);
  }
  const isSelected = nameSelection(trainable);
  return [...parameterLayout(config)]
    .filter(([name]) => isSelected(name))
    .reduce((sum, [, { shape }]) => sum + elementCount(shape), 0);
}
