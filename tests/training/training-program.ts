import { createHash } from 'node:crypto';
import { countingExamples, plainConfig, TinyTraining, tinyBatches } from './tiny-training.ts';

// Run as a program, with the folder of its state: trains the tiny model and prints the number of each step that it takes,
// then the digest of its history and weights. By its clock a step takes an hour, so it saves its state after each. A test
// kills it.
const [statePath = ''] = process.argv.slice(2);
const training = TinyTraining.at(statePath, 'onnx');
let hours = 0;
const { history, weights } = await training.run({
  config: { ...plainConfig, epochs: 20, keep: 'best', schedule: { name: 'linear', warmup_steps: 2 } },
  validation: await tinyBatches({ examples: countingExamples(4) }),
  clock: () => 3_600_000 * hours,
  onProgress: ({ step, evaluating }) => {
    if (evaluating !== undefined) return;
    hours += 1;
    console.log(`step ${step}`);
  },
});
const hash = createHash('sha256').update(JSON.stringify(history));
for (const [name, values] of weights) hash.update(name).update(new Uint8Array(values.buffer));
console.log(`digest ${hash.digest('hex')}`);
