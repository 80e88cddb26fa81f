import { matMul, ones } from '@tensorflow/tfjs-core';
import type { Finding } from './finding.ts';

const [SIDE, GEMM_MILLISECONDS, COPY_MILLISECONDS] = [1024, 1500, 500];
const COPIED_BYTES = 64 * 2 ** 20;

/** What the active backend and the memory reach in two seconds; the best of many, since other programs take their share. */
export async function measureSpeed(): Promise<Finding> {
  const gigaflops = (2e-9 * SIDE ** 3) / (await bestProduct());
  const gigabytes = (2e-9 * COPIED_BYTES) / bestCopy();
  const found = `${Math.round(gigaflops)} GFLOP/s in float32 products, ${Math.round(gigabytes)} GB/s of memory`;
  const figures = { gigaflops_per_second: gigaflops, gigabytes_per_second: gigabytes };
  if (gigaflops >= SLOW) return { subject: 'speed', state: 'good', found, figures };
  const help = 'that is little: are other programs running? `resources: { threads: … }` sets the threads';
  return { subject: 'speed', state: 'good', found, help, figures };
}

/** A processor with two modern cores has several times as much. */
const SLOW = 20;

/** Seconds of a product of two matrices, the first left out: it compiles. */
async function bestProduct(): Promise<number> {
  const factor = ones([SIDE, SIDE]);
  const end = performance.now() + GEMM_MILLISECONDS;
  const times: number[] = [];
  do {
    const start = performance.now();
    const product = matMul(factor, factor);
    await product.data();
    product.dispose();
    times.push((performance.now() - start) / 1000);
  } while (performance.now() < end || times.length < 3);
  factor.dispose();
  return Math.min(...times.slice(1));
}

/** Seconds of a copy, which reads and writes each byte. */
function bestCopy(): number {
  const [from, to] = [new Uint8Array(COPIED_BYTES).fill(1), new Uint8Array(COPIED_BYTES).fill(2)];
  const end = performance.now() + COPY_MILLISECONDS;
  let best = Number.POSITIVE_INFINITY;
  while (performance.now() < end) {
    const start = performance.now();
    to.set(from);
    best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}
