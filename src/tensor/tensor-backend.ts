/** What ran the numbers; kept with a run's record, since floats differ between any two of these. */
export interface TensorBackendInfo {
  readonly backend: TensorBackendName;
  /** Name and version of the engine, such as `onnxruntime 1.30.0`. */
  readonly engine: string;
  /** The widest vector instructions found, such as `avx512`. */
  readonly instructionSet: string;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** What it computes on, where that can differ. */
  readonly device?: 'gpu' | 'cpu';
}

export const TENSOR_BACKENDS = ['onnx', 'tensorflow', 'cpu'] as const;

export type TensorBackendName = (typeof TENSOR_BACKENDS)[number];

export interface TensorBackendOptions {
  readonly backend: TensorBackendName;
  /** Threads that one operation may use; as many as this process may use processors where absent. */
  readonly threads?: number | undefined;
  /** How the onnx backend calls its engine; the fastest way that loads where absent. */
  readonly runner?: 'native' | 'binding' | undefined;
  /** Takes a sentence about something that makes the backend slower than it might be. */
  readonly onNote?: ((note: string) => void) | undefined;
}
