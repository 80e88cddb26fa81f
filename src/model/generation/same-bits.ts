import { hasOpenSizes } from '../../tensor/index.ts';
import { type LanguageModel, preparationOf } from '../language-model.ts';

/** Another way to compute the same numbers: prompts after a shared prefix or in fewer rows, or a step of fewer rows. */
type Variant = 'prefix' | 'fewer prompts' | `${number} of ${number} rows`;

/** By what a model's weights were last prepared for: in 8 bits they are multiplied by other kernels than in 32. */
const known = new WeakMap<object, Map<Variant, boolean>>();

/**
 * Whether a model computes the same bits in another way, so that an answer cannot depend on which way was taken; undefined
 * if `compare` has not found it out yet. Where every size is a graph to compile, no other way is worth taking.
 */
export function isSameBits(model: LanguageModel, variant: Variant): boolean | undefined {
  return hasOpenSizes() ? known.get(preparationOf(model))?.get(variant) : false;
}

/** Whether what was computed in another way is the same, to the last bit; it is remembered. */
export function compareBits(
  model: LanguageModel,
  {
    variant,
    expected,
    found,
  }: {
    readonly variant: Variant;
    readonly expected: readonly Float32Array[];
    readonly found: readonly Float32Array[];
  },
): boolean {
  const preparation = preparationOf(model);
  const variants = known.get(preparation) ?? new Map<Variant, boolean>();
  const isSame = expected.every((one, index) => {
    const other = found[index];
    return other !== undefined && bytesOf(one).equals(bytesOf(other));
  });
  known.set(preparation, variants.set(variant, isSame));
  return isSame;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
