import { gpt2Folder } from './gpt2-folder.mjs';
import { median } from './median.mjs';
import { trainingBatches } from './reference-rows.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// Training steps of GPT-2 124M on the reference's rows, batch 8, alternating with eager PyTorch on the same batches, and the
// peak memory of both. node bench/train.mjs [all|response] [steps] [onnx|tensorflow] [float32|bf16]
const [targets = 'all', count = '24', backend = 'onnx', precision = 'float32'] = process.argv.slice(2);
const folder = await gpt2Folder();
const workers = { tuneloom: await ourWorker('train', folder, backend, precision), pytorch: peerWorker('train', folder) };
const answers = { tuneloom: [], pytorch: [] };
for (const rows of trainingBatches({ size: 8, responses: targets === 'response' }).slice(0, Number(count)))
  for (const [name, worker] of Object.entries(workers)) answers[name].push(await worker.ask({ rows }));
for (const worker of Object.values(workers)) worker.end();

const figures = Object.fromEntries(
  Object.entries(answers).map(([name, steps]) => [
    name,
    {
      median_seconds: median(steps.map(({ seconds }) => seconds)),
      total_seconds: steps.reduce((sum, { seconds }) => sum + seconds, 0), // including compilation and warm-up
      peak_gigabytes: steps.at(-1).memory / 1e9,
      last_loss: steps.at(-1).loss,
    },
  ]),
);
const { tuneloom, pytorch } = figures;
console.log(
  JSON.stringify(
    {
      work: `training, ${targets === 'all' ? 'all tokens' : 'response only'}, ${count} steps, ${backend}, ${precision}`,
      ...figures,
      ratio: {
        median: tuneloom.median_seconds / pytorch.median_seconds,
        // Of pairs of steps, so that a machine that is busy for a while affects both sides.
        of_pairs: median(answers.tuneloom.map(({ seconds }, i) => seconds / answers.pytorch[i].seconds)),
        total: tuneloom.total_seconds / pytorch.total_seconds,
        memory: tuneloom.peak_gigabytes / pytorch.peak_gigabytes,
      },
    },
    null,
    2,
  ),
);
