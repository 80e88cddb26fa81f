import { parseArgs } from 'node:util';
import { gpt2Folder } from './gpt2-folder.mjs';
import { median } from './median.mjs';
import { trainingBatches } from './reference-rows.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// Training steps of GPT-2 124M on the reference's rows, batch 8, alternating with PyTorch's on the same batches, and the peak
// memory and the losses of each. The peers, of which several can be named, are those of peers/train.py.
// node bench/train.mjs [all|response] [steps] [onnx|tensorflow] [float32|bf16] [--peer eager,fp32-best,best,compiled]
const { values, positionals } = parseArgs({
  options: { peer: { type: 'string', default: 'eager' } },
  allowPositionals: true,
});
const [targets = 'all', count = '24', backend = 'onnx', precision = 'float32'] = positionals;
const peers = values.peer.split(',');
const PEERS = ['eager', 'fp32-best', 'best', 'compiled'];
const unknown = peers.find((peer) => !PEERS.includes(peer));
if (unknown !== undefined) throw new Error(`no peer is called ${unknown}; there are ${PEERS.join(', ')}`);

const folder = await gpt2Folder();
const workers = {
  tuneloom: await ourWorker('train', folder, backend, precision),
  ...Object.fromEntries(peers.map((peer) => [peer, peerWorker('train', folder, peer)])),
};
const answers = Object.fromEntries(Object.keys(workers).map((name) => [name, []]));
for (const rows of trainingBatches({ size: 8, responses: targets === 'response' }).slice(0, Number(count)))
  for (const [name, worker] of Object.entries(workers)) answers[name].push(await worker.ask({ rows }));
for (const worker of Object.values(workers)) worker.end();

const secondsOf = (name) => answers[name].map(({ seconds }) => seconds);
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const memoryOf = (name) => answers[name].at(-1).memory;

function figures(name) {
  const seconds = secondsOf(name);
  return {
    first_seconds: seconds[0], // with what is compiled once, for a shape or for all
    median_seconds: median(seconds),
    total_seconds: total(seconds),
    peak_gigabytes: memoryOf(name) / 1e9,
    last_loss: answers[name].at(-1).loss,
  };
}

function compared(peer) {
  const [ours, theirs] = [secondsOf('tuneloom'), secondsOf(peer)];
  const gaps = answers.tuneloom.map(({ loss }, i) => Math.abs(loss - answers[peer][i].loss));
  return {
    median: median(ours) / median(theirs),
    // Of pairs of steps, so that a machine that is busy for a while affects both sides.
    of_pairs: median(ours.map((seconds, i) => seconds / theirs[i])),
    total: total(ours) / total(theirs),
    memory: memoryOf('tuneloom') / memoryOf(peer),
    loss_gap: { median: median(gaps), largest: Math.max(...gaps) },
  };
}

const work = `training, ${targets === 'all' ? 'all tokens' : 'response only'}, ${count} steps, ${backend}, ${precision}`;
const report = {
  work,
  ...Object.fromEntries(Object.keys(workers).map((name) => [name, figures(name)])),
  ratio: Object.fromEntries(peers.map((peer) => [peer, compared(peer)])),
};
console.log(JSON.stringify(report, null, 2));
