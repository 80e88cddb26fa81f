import { moduleBase64 } from '../wasm/optimizer-steps-module.ts';

/** Elements that fit into each of the kernels' arrays. */
export const CHUNK = 8192;

/**
 * The compiled steps of the optimizers, and the arrays in their memory that they work on. What `count` elements, or rows of
 * `stride` elements, do not fill up to a multiple of four is overwritten as well.
 */
interface StepKernels {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  /** A moment, or the momentum. */
  readonly firstState: Float32Array;
  readonly secondState: Float32Array;
  readonly rowFactors: Float32Array;
  readonly columnFactors: Float32Array;
  /** Four pairs of sums, in the place of the row factors. */
  readonly sums: Float64Array;
  readonly adamW: (
    count: number,
    gradientScale: number,
    decay: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
    stepSize: number,
    rootScale: number,
    epsilon: number,
  ) => void;
  readonly lion: (
    count: number,
    gradientScale: number,
    decay: number,
    learningRate: number,
    beta1: number,
    rest1: number,
    beta2: number,
    rest2: number,
  ) => void;
  readonly sgd: (
    count: number,
    gradientScale: number,
    weightDecay: number,
    learningRate: number,
    momentum: number,
    gradientShare: number,
    sumShare: number,
  ) => void;
  readonly addSquares: (rows: number, stride: number, gradientScale: number) => void;
  readonly squaredUpdates: (rows: number, stride: number, gradientScale: number) => number;
  readonly adafactor: (
    rows: number,
    stride: number,
    gradientScale: number,
    decay: number,
    stepSize: number,
    beta1: number,
    rest1: number,
  ) => void;
  readonly squares: (count: number) => void;
}

// Node has it, but only the browser's types declare it.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

let opened: StepKernels | undefined;

export function stepKernels(): StepKernels {
  opened ??= open();
  return opened;
}

function open(): StepKernels {
  const bytes = new Uint8Array(Buffer.from(moduleBase64, 'base64'));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // What optimizer-steps.wat exports.
  const { memory, ...steps } = exports as { memory: { buffer: ArrayBuffer } } & StepKernels;
  const array = (index: number) => new Float32Array(memory.buffer, 4 * CHUNK * index, CHUNK);
  return {
    ...steps,
    parameter: array(0),
    gradient: array(1),
    firstState: array(2),
    secondState: array(3),
    rowFactors: array(4),
    columnFactors: array(5),
    sums: new Float64Array(memory.buffer, 4 * CHUNK * 4, 8),
  };
}

/** Calls `visit` with the bounds of each chunk of `length` elements. */
export function forEachChunk(length: number, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < length; start += CHUNK) visit(start, Math.min(length, start + CHUNK));
}
