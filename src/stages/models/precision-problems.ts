import type { ConfigProblem, StageAction } from '../../runtime/index.ts';
import type { ProductPrecision } from '../../tensor/index.ts';

/** Where else to compute in half precision, as half a sentence. */
export const whoHasHalf =
  'NVIDIA GPUs have it with the backend `cuda` or `tensorflow`, other GPUs may have fp16 with `webgpu`, and processors with AVX512-BF16 or AMX have bf16 with `tensorflow`, which `tuneloom setup tensorflow` installs';

/** A `precision` beside a backend that never has it. */
export function precisionProblems(
  precision: ProductPrecision,
  { backend }: StageAction['resources'],
): readonly ConfigProblem[] {
  if (precision === 'float32' || (backend !== 'onnx' && backend !== 'cpu')) return [];
  return [
    {
      pointer: '/precision',
      code: 'no-such-precision',
      message: `the backend \`${backend}\` multiplies in float32 only, and \`precision\` asks for ${precision}`,
      help: `remove \`precision\`, or choose another backend: ${whoHasHalf}`,
    },
  ];
}
