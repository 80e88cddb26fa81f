import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';
import { initialModel } from '../src/model/initial-model.ts';
import { languageModel } from '../src/model/language-model.ts';
import { parameterLayout } from '../src/model/model-config.ts';
import { openTensorBackend } from '../src/tensor/index.ts';
import type { Example } from '../src/training/batches/batch-plan.ts';
import { splitBatch } from '../src/training/batches/micro-batch.ts';
import { TrainingState } from '../src/training/state/training-state.ts';
import { takeStep } from '../src/training/take-step.ts';

// Seconds of a training step of GPT-2 124M with random weights, alternately with and without padding, over the same batches.
// npx esbuild bench/padding-free.ts --bundle --platform=node --format=esm --target=node20 --packages=external --outfile=dist/bench/padding-free.mjs
// node dist/bench/padding-free.mjs instruction-data.json [all | response] [batches]
const [, , path = '', trainOn = 'all', count = '8'] = process.argv;
const [endOfText, batchSize, learningRate] = [50256, 8, 5e-5];

interface Row {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

function exampleOf({ instruction, input, output }: Row, index: number): Example {
  const prompt = `Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n${instruction}${input && `\n\n### Input:\n${input}`}`;
  const promptLength = encode(prompt).length;
  const inputs = Int32Array.from(encode(`${prompt}\n\n### Response:\n${output}`));
  const targets = Int32Array.from([...inputs.slice(1), endOfText]);
  if (trainOn === 'response') targets.fill(-100, 0, promptLength - 1);
  return { id: `${index}`, inputs, targets, promptLength };
}

const rows: Row[] = JSON.parse(readFileSync(path, 'utf8'));
const examples = rows.slice(0, 935).map(exampleOf);
console.log(await openTensorBackend({ backend: 'onnx' }));
const { config, read } = initialModel({
  ...{ family: 'gpt2', vocabularySize: 50257, contextLength: 1024, hiddenSize: 768, layers: 12, heads: 12 },
  ...{ tied: true, seed: 1, endOfText },
});
const parameters = new Map<string, tf.Variable>();
for (const [name, { shape }] of parameterLayout(config))
  parameters.set(name, tf.variable(tf.tensor(await read(name), [...shape])));
const model = languageModel(config, parameters);
const state = new TrainingState(model, {
  ...{ name: 'adamw', learning_rate: learningRate, weight_decay: 0.1, betas: [0.9, 0.999] },
  ...{ epsilon: 1e-8, decay: 'all' },
});

const times = new Map<boolean, number[]>([
  [false, []],
  [true, []],
]);
let step = 0;
for (const round of ['compiling', 'measured'])
  for (let batch = 0; batch < Number(count); batch++)
    for (const paddingFree of batch % 2 === 0 ? [false, true] : [true, false]) {
      const group = examples.slice(batch * batchSize, (batch + 1) * batchSize);
      const pieces = splitBatch(group, { endOfText, multipleOf: 16, microBatchSize: undefined, paddingFree });
      const begun = performance.now();
      const { loss } = await takeStep(state, {
        step: ++step,
        batch: pieces,
        learningRate,
        clipNorm: undefined,
      });
      const seconds = (performance.now() - begun) / 1000;
      if (round === 'measured') times.get(paddingFree)?.push(seconds);
      console.log(round, batch, paddingFree ? 'packed' : 'padded', seconds.toFixed(2), loss.toFixed(4));
    }
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const [padded, packed] = [median(times.get(false) ?? []), median(times.get(true) ?? [])];
console.log({ padded, packed, ratio: packed / padded, peakGiB: process.resourceUsage().maxRSS / 2 ** 20 });
