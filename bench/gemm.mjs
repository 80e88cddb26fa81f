import { median } from './median.mjs';
import { ourWorker, peerWorker } from './worker.mjs';

// Matrix products in float32, alternating with PyTorch: GFLOP/s and ratios. node bench/gemm.mjs
const shapes = [
  [512, 768, 2304],
  [512, 3072, 768],
  [512, 768, 50257],
  [1024, 1024, 1024],
  [8, 768, 3072],
];
const workers = { tuneloom: await ourWorker('gemm'), pytorch: peerWorker('gemm') };
for (const [m, k, n] of shapes) {
  const seconds = { tuneloom: [], pytorch: [] };
  for (let round = 0; round < 5; round++)
    for (const [name, worker] of Object.entries(workers))
      seconds[name].push((await worker.ask({ m, k, n, rounds: 5 })).seconds);
  const rate = (name) => Math.round((2e-9 * m * k * n) / median(seconds[name]));
  const ratio = median(seconds.tuneloom.map((own, i) => own / seconds.pytorch[i])).toFixed(2);
  console.log(
    `${m} x ${k} x ${n}: ${rate('tuneloom')} GFLOP/s, PyTorch ${rate('pytorch')}, share of its time ${ratio}`,
  );
}
for (const worker of Object.values(workers)) worker.end();
