import { median } from './median.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// A step of each optimizer over some million parameters in matrices of 1,000 columns: ours on one thread, alternating with
// torch.optim's AdamW (the fused kernel) and SGD, lion-pytorch and transformers' Adafactor on two threads.
// node bench/optimizers.mjs [millions] [steps] [optimizer,...]
const [millions = '124', steps = '5', names = 'adamw,lion,sgd,adafactor'] = process.argv.slice(2);
/** Bytes that a step reads and writes for each parameter if it goes through memory once. */
const BYTES = { adamw: 28, lion: 20, sgd: 20, adafactor: 12 };

const report = {};
for (const optimizer of names.split(',')) {
  const words = ['optimizers', optimizer, String(Number(millions) * 1e3)];
  const workers = { ours: await ourWorker(...words), torch: peerWorker(...words) };
  const answers = { ours: [], torch: [] };
  // The first step touches the memory for the first time and is not measured.
  for (let step = 0; step <= Number(steps); step++)
    for (const [name, worker] of Object.entries(workers)) answers[name].push(await worker.ask({}));
  for (const worker of Object.values(workers)) worker.end();
  const figures = Object.fromEntries(
    Object.entries(answers).map(([name, all]) => {
      const seconds = median(all.slice(1).map((answer) => answer.seconds));
      const gigabytes_per_second = (BYTES[optimizer] * Number(millions)) / 1e3 / seconds;
      return [
        name,
        { seconds, gigabytes_per_second, peak_gigabytes: all.at(-1).memory / 1e9, last: all.at(-1).last },
      ];
    }),
  );
  report[optimizer] = { ...figures, share: figures.ours.seconds / figures.torch.seconds };
}
console.log(JSON.stringify({ parameters: Number(millions) * 1e6, ...report }, null, 2));
