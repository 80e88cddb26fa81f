import type { StageAction } from '../../runtime/stage/stage-action.ts';
import {
  hasNvidiaGpu,
  installedTensorflow,
  TENSOR_BACKENDS,
  type TensorBackendName,
  type TensorBackendOptions,
} from '../../tensor/index.ts';
import { UserError } from '../../user-error.ts';

/** The tensor backend that `resources:` asks for, or the one that suits this machine. */
export function chosenBackend({ backend = 'auto', threads }: StageAction['resources']): TensorBackendOptions {
  if (backend === 'auto') return { backend: suitableBackend(), threads };
  if (isBackend(backend)) return { backend, threads };
  throw new UserError({
    code: 'unknown-backend',
    message: `there is no tensor backend \`${backend}\``,
    help: 'choose `auto`, `onnx`, `tensorflow` or `cpu`',
  });
}

/** TensorFlow where it is installed and there is a GPU for it; on processors the other is faster. */
const suitableBackend = (): TensorBackendName =>
  installedTensorflow() !== undefined && hasNvidiaGpu() ? 'tensorflow' : 'onnx';

const isBackend = (name: string): name is TensorBackendName =>
  TENSOR_BACKENDS.some((backend) => backend === name);
