import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TrainConfig } from '../../src/generated/train-config.ts';
import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import type { Answer, Example, PairedBatches, PlainBatches } from '../../src/training/batches/batch-plan.ts';
import type { HistoryEntry } from '../../src/training/history.ts';
import { train } from '../../src/training/train.ts';
import type { TrainingTask } from '../../src/training/training-task.ts';
import { tuneModel } from '../../src/training/tune-model.ts';

/** GPT-2 with two layers of hidden size 16, 60 tokens and a context of 16; torch-steps.py makes it. */
export const tinyModel = fileURLToPath(new URL('../fixtures/training/tiny-gpt2', import.meta.url));
const endOfText = 59;

export const plainConfig: TrainConfig = {
  epochs: 2,
  objective: 'sft',
  preference: {},
  optimizer: {
    name: 'adamw',
    learning_rate: 2e-3,
    weight_decay: 0.1,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    decay: 'all',
  },
  schedule: { name: 'constant' },
  dropout: { embedding: 0, attention: 0, residual: 0 },
  evaluate: { every: 3, batches: 2 },
  metric_for_best_model: 'validation_loss',
  keep: 'last',
  keep_epochs: 2,
  sample: { max_new_tokens: 3 },
  precision: 'float32',
  base_precision: 'float32',
  gradient_checkpointing: false,
  padding_free: true,
  pad_to_multiple_of: 8,
};

/** Examples that count upwards, each from a different number: a rule that the tiny model can learn. */
export const countingExamples = (count: number, length = 6): readonly Example[] =>
  Array.from({ length: count }, (_, index) => {
    const inputs = Int32Array.from({ length: length - (index % 3) }, (_, place) => (7 * index + place) % 50);
    const targets = Int32Array.from([...inputs.slice(1), endOfText]);
    return { id: `counting-${index}`, inputs, targets, promptLength: 2 };
  });

export async function tinyBatches(given: Partial<PlainBatches> = {}): Promise<PlainBatches> {
  return {
    examples: countingExamples(10),
    recipe: { batchSize: 3, shuffle: true, dropLast: true, seed: 5 },
    vocabulary: (await openTokenizer(tinyModel)).vocabulary,
    endOfText,
    answerEnds: [endOfText],
    ...given,
  };
}

/** Pairs whose preferred answer counts upwards, and whose other one counts downwards. */
export async function tinyPairs(given: Partial<PairedBatches> = {}): Promise<PairedBatches> {
  const { examples, ...set } = await tinyBatches();
  const answerOf = ({ inputs, targets, promptLength }: Example): Answer => ({
    ...{ inputs, promptLength },
    targets: targets.map((target, index) => (index < promptLength - 1 ? -100 : target)),
  });
  return {
    ...set,
    preference: 'paired',
    examples: examples.map((example) => {
      const { id, inputs, targets, promptLength } = example;
      const prompt = inputs.subarray(0, promptLength);
      const other = Int32Array.from([...prompt, ...inputs.subarray(promptLength).toReversed()]);
      const rejected = {
        ...example,
        inputs: other,
        targets: Int32Array.from([...other.slice(1), endOfText]),
      };
      return { id, chosen: { ...answerOf(example), learned: targets }, rejected: answerOf(rejected) };
    }),
    ...given,
  };
}

export interface Trained {
  readonly history: readonly HistoryEntry[];
  readonly weights: ReadonlyMap<string, Float32Array>;
}

/** A real training of the tiny model in its own folder, and its results. */
export class TinyTraining implements AsyncDisposable {
  readonly statePath: string;
  readonly #backend: TensorBackendName;

  private constructor(statePath: string, backend: TensorBackendName) {
    this.statePath = statePath;
    this.#backend = backend;
  }

  static async create(backend: TensorBackendName = 'cpu'): Promise<TinyTraining> {
    return new TinyTraining(await mkdtemp(join(tmpdir(), 'tiny-training-')), backend);
  }

  /** One that resumes from what another left in its folder. */
  static at(statePath: string, backend: TensorBackendName): TinyTraining {
    return new TinyTraining(statePath, backend);
  }

  async run(given: Partial<TrainingTask> = {}): Promise<Trained> {
    const fingerprint = JSON.stringify(await openTensorBackend({ backend: this.#backend }));
    const model = await openLanguageModel(tinyModel);
    const history: HistoryEntry[] = [];
    using tuned = tuneModel(model, { config: given.config ?? plainConfig, seed: 0 });
    try {
      await train({
        model: tuned.model,
        tokenizer: await openTokenizer(tinyModel),
        batches: await tinyBatches(),
        endTokens: [],
        config: plainConfig,
        statePath: this.statePath,
        fingerprint,
        signal: new AbortController().signal,
        onEntry: async (entry) => void history.push(entry),
        onNote: () => {},
        onProgress: () => {},
        clock: () => performance.now(),
        ...given,
      });
      const weights = [...model.parameters].map(
        ([name, variable]) => [name, variable.dataSync<'float32'>().slice()] as const,
      );
      return { history, weights: new Map(weights) };
    } finally {
      model.dispose();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.statePath, { recursive: true });
  }
}
