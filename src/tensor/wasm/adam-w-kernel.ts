import { moduleBase64 } from './adam-w-step-module.ts';

/** Elements that fit into each of the kernel's four arrays. */
export const CHUNK = 8192;

type StepSettings = [
  gradientScale: number,
  decay: number,
  beta1: number,
  rest1: number,
  beta2: number,
  rest2: number,
  stepSize: number,
  rootScale: number,
  epsilon: number,
];

/** The compiled step, and the arrays in its memory that it works on. */
export interface AdamWKernel {
  readonly parameter: Float32Array;
  readonly gradient: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  /** Over the first `count` elements; up to three behind them are overwritten as well. */
  readonly step: (count: number, ...settings: StepSettings) => void;
}

// Node has it; its types come with those of a browser only.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

let opened: AdamWKernel | undefined;

export function adamWKernel(): AdamWKernel {
  opened ??= open();
  return opened;
}

function open(): AdamWKernel {
  const bytes = new Uint8Array(Buffer.from(moduleBase64, 'base64'));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  // What adam-w-step.wat exports.
  const { memory, step } = exports as { memory: { buffer: ArrayBuffer }; step: AdamWKernel['step'] };
  const array = (place: number) => new Float32Array(memory.buffer, 4 * CHUNK * place, CHUNK);
  return { parameter: array(0), gradient: array(1), firstMoment: array(2), secondMoment: array(3), step };
}
