import type { StageAction } from '../../runtime/stage/stage-action.ts';
import type { TensorBackendName, TensorBackendOptions } from '../../tensor/index.ts';
import { UserError } from '../../user-error.ts';

/** The tensor backend that `resources:` asks for; onnx where it asks for none. */
export function chosenBackend({ backend = 'onnx', threads }: StageAction['resources']): TensorBackendOptions {
  if (isBackend(backend)) return { backend, threads };
  throw new UserError({
    code: 'unknown-backend',
    message: `there is no tensor backend \`${backend}\``,
    help: 'choose `onnx` or `cpu`',
  });
}

const isBackend = (name: string): name is TensorBackendName => name === 'onnx' || name === 'cpu';
