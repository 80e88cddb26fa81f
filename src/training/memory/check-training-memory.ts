import type { TrainConfig } from '../../generated/train-config.ts';
import { type MemoryNeed, totalMemory } from '../../model/memory/memory-need.ts';
import { refuseMemory } from '../../model/memory/refuse-memory.ts';
import { type TrainingShape, trainingMemory } from '../../model/memory/training-memory.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import type { Batches, Example } from '../batches/example.ts';
import { ignoredTarget } from '../batches/pad-batch.ts';
import { trainedNumbers } from './trained-numbers.ts';

interface PlannedTraining {
  readonly model: ModelConfig;
  readonly config: TrainConfig;
  readonly batches: Batches;
  /** Bytes that may be taken. */
  readonly limit: number;
}

/** What a training is expected to take at its peak. Throws a UserError where that is too much, with what would fit. */
export function checkTrainingMemory(training: PlannedTraining): number {
  const { model, limit } = training;
  const shape = widestShape(training);
  const need = trainingMemory(model, shape);
  if (totalMemory(need) <= limit) return totalMemory(need);
  throw refuseMemory({ what: 'training', need, limit, help: whatWouldFit(training, shape) });
}

/** The largest batch that can come up: as many rows as there can be, each as long as the longest example. */
function widestShape({ model, config, batches }: PlannedTraining): TrainingShape {
  const { examples, recipe } = batches;
  const most = (of: (example: Example) => number) => examples.reduce((max, one) => Math.max(max, of(one)), 1);
  const rows = Math.min(config.micro_batch_size ?? recipe.batchSize, recipe.batchSize, examples.length || 1);
  const longest = recipe.packedLength ?? most(({ inputs }) => inputs.length);
  const padded = Math.ceil(longest / config.pad_to_multiple_of) * config.pad_to_multiple_of;
  const counted =
    recipe.packedLength ?? most(({ targets }) => targets.filter((target) => target !== ignoredTarget).length);
  return {
    rows,
    width: Math.min(padded, model.contextLength),
    counted: rows * counted,
    trained: trainedNumbers(model, config),
    pieces: rows < Math.min(recipe.batchSize, examples.length),
  };
}

/** The least change that would do: smaller pieces of a batch, then LoRA, then shorter examples. */
function whatWouldFit({ model, config, limit }: PlannedTraining, shape: TrainingShape): string {
  const fits = (need: MemoryNeed) => totalMemory(need) <= limit;
  const inPieces = (rows: number, trained: number, width = shape.width) => ({
    rows,
    width,
    counted: (shape.counted * rows * width) / (shape.rows * shape.width),
    trained,
    pieces: true,
  });
  const adapters = trainedNumbers(model, { lora: config.lora ?? usualLora });
  const options = config.lora === undefined ? [shape.trained, adapters] : [shape.trained];
  const named = (trained: number) => (trained === shape.trained ? '' : '`lora: {}` with ');
  for (const trained of options)
    for (let rows = shape.rows - 1; rows >= 1; rows = Math.floor(rows / 2))
      if (fits(trainingMemory(model, inPieces(rows, trained))))
        return `${named(trained)}\`micro_batch_size: ${rows}\` would fit`;
  const least = options.at(-1) ?? shape.trained;
  for (let width = Math.floor(shape.width / 64) * 64; width >= 64; width -= 64)
    if (fits(trainingMemory(model, inPieces(1, least, width))))
      return `${named(least)}\`micro_batch_size: 1\` and \`max_length: ${width}\` in collate would fit`;
  return 'no setting of this stage would fit: take a smaller model, or a machine with more memory';
}

/** The schema's defaults. */
const usualLora: NonNullable<TrainConfig['lora']> = {
  r: 16,
  alpha: 32,
  dropout: 0,
  targets: 'all-linear',
  use_rslora: false,
};
