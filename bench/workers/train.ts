import { openLanguageModel } from '../../src/model/language-model.ts';
import { openTensorBackend, type ProductPrecision, type TensorBackendName } from '../../src/tensor/index.ts';
import { splitBatch } from '../../src/training/batches/micro-batch.ts';
import { TrainingState } from '../../src/training/state/training-state.ts';
import { stepEntry, takeStep } from '../../src/training/take-step.ts';
import { serve } from './serve.ts';

// One training step of a GPT-2 folder for each request: `node train.mjs FOLDER [BACKEND] [PRECISION]`.
const [folder = '', backend = 'onnx', products = 'float32'] = process.argv.slice(2);
const precision = products as ProductPrecision;
await openTensorBackend({ backend: backend as TensorBackendName, threads: 2 });
const model = await openLanguageModel(folder);
const state = new TrainingState(model, {
  ...{
    name: 'adamw',
    learning_rate: 5e-5,
    weight_decay: 0.1,
    betas: [0.9, 0.999],
    epsilon: 1e-8,
    decay: 'all',
  },
});
let step = 0;

interface Work {
  readonly rows: readonly { readonly inputs: readonly number[]; readonly targets: readonly number[] }[];
}

await serve(async ({ rows }: Work) => {
  const examples = rows.map(({ inputs, targets }, index) => ({
    id: `${index}`,
    inputs: Int32Array.from(inputs),
    targets: Int32Array.from(targets),
    promptLength: 0,
  }));
  const start = performance.now();
  const batch = splitBatch(examples, {
    paddingFree: true,
    microBatchSize: undefined,
    endOfText: 50256,
    multipleOf: 16,
  });
  step++;
  const learningRate = 5e-5;
  const taken = await takeStep(state, { step, batch, learningRate, clipNorm: undefined, precision });
  state.record(stepEntry(taken, { step, epoch: 1, learningRate, tokens: 0 })); // the loss scale follows from it
  const { loss } = taken;
  const seconds = (performance.now() - start) / 1000;
  return { seconds, memory: process.resourceUsage().maxRSS * 1024, loss };
});
