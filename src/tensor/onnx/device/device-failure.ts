import { UserError } from '../../../core/index.ts';

/** What the system or the user can change, in place of the engine's message; any other failure as it is. */
export function deviceFailure(cause: unknown): unknown {
  const [reason = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n');
  const known = failures.find(({ pattern }) => pattern.test(reason));
  if (known === undefined) return cause;
  const { code, message, help } = known;
  return new UserError({ code, message: `${message}: ${reason}`, help, cause });
}

const smaller =
  'lower `micro_batch_size`, `max_length` or `batch_size` (of `generate`), train adapters with `lora`, or use `--backend onnx`, which computes in the memory of the processor';

const failures = [
  {
    // The engine spreads a large tensor over several buffers, of which there are a few only.
    pattern: /exceeds the max|too large|too many storage buffers/i,
    code: 'device-limit',
    message: 'a tensor is larger than the GPU allows',
    help: smaller,
  },
  {
    // WebGPU reports a buffer that there was no memory for only when it is used.
    pattern: /out of (device )?memory|OutOfMemory|bad_alloc|allocate|ALLOC_FAILED|Invalid Buffer/i,
    code: 'device-memory',
    message: 'the memory of the GPU is full',
    help: smaller,
  },
  {
    // Of CUDA: the GPU is not available, or a kernel on it failed or took too long; nothing computes on it afterwards.
    pattern: /device (was |is )?lost|CUDA failure (46|700|702|719|999)\b/i,
    code: 'device-lost',
    message: 'the connection to the GPU was lost',
    help: 'run again: a training continues where it last saved its state; the log of the driver may say what happened',
  },
] as const;
