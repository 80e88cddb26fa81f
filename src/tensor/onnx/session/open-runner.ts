import { type NativeOptions, openNativeRuntime } from '../native/open-native-runtime.ts';
import type { GraphRunner } from './graph-runner.ts';
import { openOnnxRuntime } from './open-onnx-runtime.ts';

/** Two ways to call ONNX Runtime: through its C API, or through the binding that onnxruntime-node comes with. */
export type OnnxRunnerName = 'native' | 'binding';

export interface RunnerOptions extends NativeOptions {
  /** That one and no other; the variable TENSOR_ONNX_RUNNER, or the fastest that loads, where absent. */
  readonly runner?: OnnxRunnerName | undefined;
}

/** Opens the runner that is asked for, or the native one, and the binding where that does not load. */
export async function openRunner({
  runner = runnerOfEnvironment(),
  ...options
}: RunnerOptions): Promise<GraphRunner> {
  switch (runner) {
    case 'native':
      return openNativeRuntime(options);
    case 'binding':
      return openOnnxRuntime(options);
    case undefined:
      return openNativeRuntime(options).catch((cause) => {
        const reason = cause instanceof Error ? cause.message : String(cause);
        const note = `the faster way to call ONNX Runtime does not load: ${reason.split('\n')[0]}`;
        return openOnnxRuntime({ ...options, note });
      });
    default:
      return runner satisfies never;
  }
}

const VARIABLE = 'TENSOR_ONNX_RUNNER';

function runnerOfEnvironment(): OnnxRunnerName | undefined {
  const name = process.env[VARIABLE];
  if (name === undefined || name === '' || name === 'native' || name === 'binding') return name || undefined;
  throw new Error(`${VARIABLE} is ${name}: it can be native or binding.`);
}
