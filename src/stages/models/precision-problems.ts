import type { ConfigProblem, StageAction } from '../../runtime/index.ts';
import type { ProductPrecision } from '../../tensor/index.ts';

/** Where else to compute in half precision, as half a sentence. */
export const whoHasHalf =
  'NVIDIA GPUs have it with `cuda` or `tensorflow`, other GPUs fp16 with `webgpu`, and processors with AVX512-BF16 or AMX bf16 with `tensorflow` (`tuneloom setup tensorflow`)';

/** In what the backends multiply, at most, that have not all precisions; another may lack one on this machine. */
const MOST: Readonly<Record<string, readonly ProductPrecision[]>> = {
  onnx: ['float32'],
  cpu: ['float32'],
  webgpu: ['float32', 'fp16'],
};

/** A `precision` beside a backend that never has it. */
export function precisionProblems(
  precision: ProductPrecision,
  { backend = 'auto' }: StageAction['resources'],
): readonly ConfigProblem[] {
  const most = MOST[backend];
  if (most === undefined || most.includes(precision)) return [];
  return [
    {
      pointer: '/precision',
      code: 'no-such-precision',
      message: `the backend \`${backend}\` multiplies in ${most.join(' and ')} only, and \`precision\` asks for ${precision}`,
      help: `remove \`precision\`, or choose another backend: ${whoHasHalf}`,
    },
  ];
}
