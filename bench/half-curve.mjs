import { gpt2Folder } from './gpt2-folder.mjs';
import { trainingBatches } from './reference-rows.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// The losses of training GPT-2 124M in half precision beside those in float32, ours and those of PyTorch's autocast, on the
// reference's rows, one training after the other.
// node bench/half-curve.mjs [steps] [tensorflow|webgpu|cuda] [bf16|fp16] [rows in a batch]
const [steps = '50', backend = 'tensorflow', half = 'bf16', size = '8'] = process.argv.slice(2);
const folder = await gpt2Folder();
const batches = trainingBatches({ size: Number(size) }).slice(0, Number(steps));

async function lossesOf(worker) {
  const losses = [];
  for (const rows of batches) losses.push((await worker.ask({ rows })).loss);
  worker.end();
  return losses;
}

const peers = { float32: 'fp32-best', bf16: 'best', fp16: 'best-fp16' };
const losses = {};
for (const precision of ['float32', half]) {
  losses[`pytorch_${precision}`] = await lossesOf(peerWorker('train', folder, peers[precision]));
  losses[`tuneloom_${precision}`] = await lossesOf(await ourWorker('train', folder, backend, precision));
}

const difference = (one, other) => {
  const each = losses[one].map((loss, step) => Math.abs(loss - losses[other][step]));
  return {
    mean: each.reduce((sum, value) => sum + value, 0) / each.length,
    largest: Math.max(...each),
    last_ten: each.slice(-10).reduce((sum, value) => sum + value, 0) / Math.min(10, each.length),
  };
};
console.log(
  JSON.stringify(
    {
      work: `training, ${steps} steps of ${size} rows, ${backend}, ${half} beside float32`,
      last_losses: Object.fromEntries(Object.entries(losses).map(([name, each]) => [name, each.at(-1)])),
      differences: {
        tuneloom_float32_from_pytorch_float32: difference('tuneloom_float32', 'pytorch_float32'),
        [`pytorch_${half}_from_its_float32`]: difference(`pytorch_${half}`, 'pytorch_float32'),
        [`tuneloom_${half}_from_its_float32`]: difference(`tuneloom_${half}`, 'tuneloom_float32'),
      },
      losses,
    },
    null,
    2,
  ),
);
