import { ourWorker, peerWorker } from './worker.mjs';

// A step of AdamW over some million parameters: ours on one thread, ours in two processes with half of them each (the most a
// second thread could bring), and torch.optim.AdamW on two threads. node bench/adam-w.mjs [millions] [steps]
const [millions = '124', steps = '5'] = process.argv.slice(2);
const parameters = Number(millions) * 1e6;
/** A step reads four arrays of float32 and writes three. */
const MOVED_BYTES = 28;

async function measured(workers) {
  const work = { parameters: parameters / workers.length, steps: Number(steps) };
  const answers = await Promise.all(workers.map((worker) => worker.ask(work)));
  for (const worker of workers) worker.end();
  const seconds = Math.max(...answers.map((answer) => answer.seconds));
  return {
    seconds,
    gigabytes_per_second: (MOVED_BYTES * parameters) / 1e9 / seconds,
    peak_gigabytes: answers.reduce((sum, { memory }) => sum + memory, 0) / 1e9,
    last: answers[0].last,
  };
}

const one = await measured([await ourWorker('adam-w')]);
const two = await measured([await ourWorker('adam-w'), await ourWorker('adam-w')]);
const torch = await measured([peerWorker('adam-w')]);
console.log(JSON.stringify({ parameters, one, two, torch, share: one.seconds / torch.seconds }, null, 2));
