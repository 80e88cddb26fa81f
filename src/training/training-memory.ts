import { elementCount } from '../formats/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  adapterLayout,
  adapterTensors,
  type LoraSettings,
  type MemoryNeed,
  type ModelConfig,
  memoryError,
  nameSelection,
  parameterLayout,
  quantizedShare,
  type TrainingShape,
  totalMemory,
  trainingMemory,
} from '../model/index.ts';
import { type Batches, type TargetedText, textsOf } from './batches/batch-plan.ts';
import { ignoredTarget } from './batches/micro-batch.ts';
import { defaultLora, loraSettings } from './lora-settings.ts';
import { optimizerNumbers } from './optimizer/optimizer-numbers.ts';

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
    ...trainedNumbers(model, { ...config, adapter }),
    accumulates: items < Math.min(recipe.batchSize, examples.length),
    checkpoints: config.gradient_checkpointing,
    quantized: quantizedShare(model, config.base_precision),
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
  const accumulating = (rows: number, trained: TrainedNumbers, length = shape.length) => ({
    rows,
    length,
    targets: (shape.targets * rows * length) / (shape.rows * shape.length),
    ...trained,
    accumulates: true,
    checkpoints: true,
    quantized: shape.quantized,
  });
  const { optimizer } = config;
  const options: readonly TrainedNumbers[] =
    config.lora === undefined ? [shape, trainedNumbers(model, { optimizer, lora: defaultLora })] : [shape];
  const settings = (trained: TrainedNumbers, ...more: readonly string[]): string => {
    const all = [
      ...(shape.checkpoints ? [] : ['`gradient_checkpointing: true`']),
      ...(trained === shape ? [] : ['`lora: {}`']),
      ...more,
    ];
    return `${all.join(', ')} would fit${all.length > 1 ? ' together' : ''}`;
  };
  for (const trained of options)
    for (let items = shape.rows / perItem - 1; items >= 1; items = Math.floor(items / 2))
      if (fits(trainingMemory(model, accumulating(items * perItem, trained))))
        return settings(trained, `\`micro_batch_size: ${items}\``);
  const least = options.at(-1) ?? shape;
  for (let length = Math.floor(shape.length / 64) * 64; length >= 64; length -= 64)
    if (fits(trainingMemory(model, accumulating(perItem, least, length))))
      return settings(least, '`micro_batch_size: 1`', `\`max_length: ${length}\` in collate`);
  return 'no setting of this stage would fit: take a smaller model, or a machine with more memory';
}

type Trained = Pick<TrainConfig, 'lora' | 'trainable'> & Pick<PlannedTraining, 'adapter'>;

type TrainedNumbers = Pick<TrainingShape, 'trained' | 'optimizer'>;

/** How many numbers a training updates, and how many its optimizer keeps for them. */
function trainedNumbers(
  config: ModelConfig,
  { optimizer, ...trained }: Trained & Pick<TrainConfig, 'optimizer'>,
): TrainedNumbers {
  const shapes = trainedShapes(config, trained);
  return { trained: countOf(shapes), optimizer: optimizerNumbers(optimizer, shapes) };
}

/** How many numbers a training updates: its adapter's, or those of the parameters that its patterns select. */
export const trainedCount = (config: ModelConfig, trained: Trained): number =>
  countOf(trainedShapes(config, trained));

const countOf = (shapes: readonly (readonly number[])[]): number =>
  shapes.reduce((sum, shape) => sum + elementCount(shape), 0);

function trainedShapes(
  config: ModelConfig,
  { lora, trainable = ['*'], adapter }: Trained,
): readonly (readonly number[])[] {
  if (lora !== undefined) {
    const settings = lora === 'continue' ? adapter : loraSettings(lora, config);
    if (settings === undefined) throw new Error('`lora: continue` without an adapter');
    return [...adapterTensors(adapterLayout(config, settings), settings).values()];
  }
  const isSelected = nameSelection(trainable);
  return [...parameterLayout(config)].filter(([name]) => isSelected(name)).map(([, { shape }]) => shape);
}
