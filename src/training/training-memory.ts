import { elementCount } from '../formats/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  adapterLayout,
  adapterTensors,
  generationMemory,
  type LoraSettings,
  type MemoryNeed,
  type ModelConfig,
  memoryError,
  nameSelection,
  parameterLayout,
  preparedBytes,
  type QuantizedShare,
  quantizedShare,
  type TrainingShape,
  tokenModules,
  totalMemory,
  trainingMemory,
} from '../model/index.ts';
import { type Batches, textsOf } from './batches/batch-plan.ts';
import { ignoredTarget } from './batches/micro-batch.ts';
import { loraSettings } from './lora-settings.ts';
import { optimizerNumbers } from './optimizer/optimizer-numbers.ts';
import { type LongestText, smallestChange } from './smallest-change.ts';

export interface PlannedTraining {
  readonly model: ModelConfig;
  readonly config: TrainConfig;
  readonly batches: Batches;
  /** Those of the adapter that `lora: continue` goes on with. */
  readonly adapter?: LoraSettings | undefined;
  /** How many tokens `trainable_tokens` names. */
  readonly tokens?: number | undefined;
  /** What the model's file has in few bits, and a `base_precision` leaves so. */
  readonly kept?: QuantizedShare | undefined;
}

interface MemoryBounds {
  /** In bytes. */
  readonly limit: number;
  /** Whether the backend computes on the processor, where a base can be kept in few bits and steps are taken in place. */
  readonly onProcessor: boolean;
}

/** The expected peak memory of a training, in bytes. Throws a UserError that says what would fit if it is above the limit. */
export function checkTrainingMemory(training: PlannedTraining, { limit, onProcessor }: MemoryBounds): number {
  const { model, config, batches } = training;
  const longest = longestText(batches);
  const needOf = (config: TrainConfig, longest: LongestText) =>
    withAnswers(trainingMemory(model, largestShape({ ...training, config }, { longest, onProcessor })), {
      ...{ model, config, longest },
    });
  const need = needOf(config, longest);
  if (totalMemory(need) <= limit) return totalMemory(need);
  const fits = (config: TrainConfig, longest: LongestText) => totalMemory(needOf(config, longest)) <= limit;
  const items = itemsAtATime(training);
  const help = smallestChange(config, { fits, longest, items, onProcessor });
  throw memoryError({ what: 'training', need, limit, help });
}

/** Adds what answering prompts between steps takes: weights that are prepared for it, and the cache of keys and values. */
function withAnswers(
  need: MemoryNeed,
  { model, config, longest }: Pick<PlannedTraining, 'model' | 'config'> & { readonly longest: LongestText },
): MemoryNeed {
  const { generation } = config.evaluate;
  if (generation === undefined) return need;
  const slots = Math.min(model.contextLength, longest.length + generation.max_new_tokens);
  const shape = { kind: 'writes', rows: generation.batch_size, slots, precision: 'float32' } as const;
  const { cache } = generationMemory(model, shape);
  return { ...need, cache, overhead: need.overhead + preparedBytes(model, 'float32') };
}

function longestText({ examples, recipe: { packedLength } }: Batches): LongestText {
  if (packedLength !== undefined) return { length: packedLength, targets: packedLength };
  let [length, targets] = [1, 1];
  for (const text of examples.flatMap(textsOf)) {
    length = Math.max(length, text.inputs.length);
    targets = Math.max(targets, text.targets.filter((target) => target !== ignoredTarget).length);
  }
  return { length, targets };
}

/** Examples or pairs in a micro-batch. */
const itemsAtATime = ({ config, batches: { recipe, examples } }: PlannedTraining): number =>
  Math.min(config.micro_batch_size ?? recipe.batchSize, recipe.batchSize, examples.length || 1);

/** The largest possible batch: the most rows, each as long as the longest text. */
function largestShape(
  training: PlannedTraining,
  {
    longest: { length, targets },
    onProcessor,
  }: Pick<MemoryBounds, 'onProcessor'> & { readonly longest: LongestText },
): TrainingShape {
  const { model, config, batches } = training;
  const items = itemsAtATime(training);
  const rows = (batches.preference === 'paired' ? 2 : 1) * items; // the answers of a pair are computed together
  const padded = Math.ceil(length / config.pad_to_multiple_of) * config.pad_to_multiple_of;
  const shapes = trainedShapes(model, { ...config, ...training });
  return {
    rows,
    length: Math.min(padded, model.contextLength),
    targets: rows * targets,
    trained: countOf(shapes),
    optimizer: optimizerNumbers(config.optimizer, { shapes, inPlace: onProcessor }),
    accumulates: items < Math.min(batches.recipe.batchSize, batches.examples.length),
    checkpoints: config.gradient_checkpointing,
    quantized:
      (config.base_precision === 'float32' ? undefined : training.kept) ??
      quantizedShare(model, config.base_precision),
  };
}

type Trained = Pick<TrainConfig, 'lora' | 'trainable'> & Pick<PlannedTraining, 'adapter' | 'tokens'>;

/** How many numbers a training updates: its adapter's, or those of the parameters that its patterns select. */
export const trainedCount = (config: ModelConfig, trained: Trained): number =>
  countOf(trainedShapes(config, trained));

const countOf = (shapes: readonly (readonly number[])[]): number =>
  shapes.reduce((sum, shape) => sum + elementCount(shape), 0);

function trainedShapes(
  config: ModelConfig,
  { lora, trainable = ['*'], adapter, tokens }: Trained,
): readonly (readonly number[])[] {
  const tables = tokens === undefined ? [] : tokenModules(config);
  if (lora !== undefined) {
    const settings = lora === 'continue' ? adapter : loraSettings(lora, config);
    if (settings === undefined) throw new Error('`lora: continue` without an adapter');
    const ofTokens = tables.map(() => [tokens ?? 0, config.hiddenSize]);
    return [...adapterTensors(adapterLayout(config, settings), settings).values(), ...ofTokens];
  }
  const isSelected = nameSelection(trainable);
  return [...parameterLayout(config)]
    .filter(([name]) => isSelected(name))
    .map(([name, { shape }]) => {
      const isTable = tables.some((module) => name === `${module}.weight`);
      return isTable ? [tokens ?? 0, ...shape.slice(1)] : shape;
    });
}
