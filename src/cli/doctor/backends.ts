import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { matMul, ones } from '@tensorflow/tfjs-core';
import {
  hasNvidiaGpu,
  installedTensorflow,
  openTensorBackend,
  tensorflowFolder,
} from '../../tensor/index.ts';
import { checkAddon } from '../setup/tensorflow/addon.ts';
import { cudaFinding, webgpuFinding } from './device-backends.ts';
import type { Finding } from './machine.ts';
import { multipliesCorrectly } from './multiplies-correctly.ts';

/** Each tensor backend: whether it loads, and whether it multiplies two matrices correctly. */
export async function backendFindings(): Promise<readonly Finding[]> {
  // One after the other: a process has one backend at a time.
  const onnx = await backendFinding('onnx');
  const speed = onnx.state === 'good' ? [await measureSpeed()] : [];
  const others = [
    await backendFinding('cpu'),
    await webgpuFinding(),
    await cudaFinding(),
    await tensorflowFinding(),
  ];
  return [onnx, ...others, ...speed, repeatability];
}

const repeatability: Finding = {
  subject: 'repeatable',
  state: 'good',
  found: 'onnx and cpu give the same bits for the same inputs, with the same processor, engine and threads',
};

const packageOf = { onnx: 'onnxruntime-node', cpu: '@tensorflow/tfjs-backend-cpu' } as const;

async function backendFinding(backend: keyof typeof packageOf): Promise<Finding> {
  const subject = `backend ${backend}`;
  try {
    const notes: string[] = [];
    const onNote = (note: string) => notes.push(note);
    const { engine, instructionSet, threads } = await openTensorBackend({ backend, onNote });
    const right = await multipliesCorrectly();
    const found = `${engine}, ${instructionSet}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
    const figures = { threads };
    return right
      ? { subject, state: 'good', found, figures, ...(notes.length > 0 && { help: notes.join('\n') }) }
      : { subject, state: 'bad', found: `${found}; its results are wrong`, figures };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!isInstalled(packageOf[backend])) {
      return { subject, state: 'absent', found: 'not installed', help: `npm install ${packageOf[backend]}` };
    }
    return { subject, state: 'bad', found: reason.split('\n')[0] ?? reason };
  }
}

const OPTIONAL = 'optional: trains on an NVIDIA GPU';

/** TensorFlow is loaded in a separate process: it takes a second and prints its own messages. */
async function tensorflowFinding(): Promise<Finding> {
  const subject = 'backend tensorflow';
  const setup = `${OPTIONAL}; \`tuneloom setup tensorflow\` installs it`;
  const found = installedTensorflow();
  if (found === undefined) {
    const missing = hasNvidiaGpu() ? 'not installed, and there is an NVIDIA GPU' : 'not installed';
    return { subject, state: 'absent', found: missing, help: formerInstallation() ?? setup };
  }
  try {
    const { tensorflow, usesGpu } = await checkAddon(found);
    const device = usesGpu ? 'on the GPU' : 'on the CPU';
    if (usesGpu || !hasNvidiaGpu())
      return { subject, state: 'good', found: `tensorflow ${tensorflow}, ${device}` };
    const help = 'there is an NVIDIA GPU that it does not use: `tuneloom setup tensorflow --cuda`';
    return { subject, state: 'bad', found: `tensorflow ${tensorflow}, ${device}`, help };
  } catch (error) {
    const [reason = ''] = String(error instanceof Error ? error.message : error).split('\n');
    return { subject, state: 'bad', found: `in ${found}, but it does not work: ${reason}`, help: setup };
  }
}

/** What to do with an installation from when this program was called retune. It runs from any folder. */
function formerInstallation(): string | undefined {
  const folder = tensorflowFolder();
  const former = folder.replace(/tuneloom(?=[\\/]tensorflow$)/, 'retune');
  if (former === folder || existsSync(folder) || !existsSync(former)) return undefined;
  return `move ${former} to ${folder}: this program was called retune when it installed TensorFlow there`;
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name);
    return true;
  } catch {
    return false;
  }
}

const [SIDE, GEMM_MILLISECONDS, COPY_MILLISECONDS] = [1024, 1500, 500];
const COPIED_BYTES = 64 * 2 ** 20;
/** In GFLOP/s; a processor with two modern cores is several times as fast. */
const SLOW = 20;

/** The speed of the active backend and of memory: the best of two seconds, because other programs interfere. */
async function measureSpeed(): Promise<Finding> {
  const gigaflops = (2e-9 * SIDE ** 3) / (await bestProduct());
  const gigabytes = (2e-9 * COPIED_BYTES) / bestCopy();
  const found = `${Math.round(gigaflops)} GFLOP/s in float32 products, ${Math.round(gigabytes)} GB/s of memory`;
  const figures = { gigaflops_per_second: gigaflops, gigabytes_per_second: gigabytes };
  if (gigaflops >= SLOW) return { subject: 'speed', state: 'good', found, figures };
  const help = 'that is slow: are other programs running? `resources: { threads: … }` sets the threads';
  return { subject: 'speed', state: 'good', found, help, figures };
}

/** Seconds for a product of two matrices, without the first, which compiles. */
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

/** Seconds for a copy, which reads and writes each byte. */
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
