import { hasOpenSizes } from '../../tensor/index.ts';
import { type LanguageModel, preparationOf } from '../language-model.ts';

/** Another way to compute the same numbers: prompts after a shared prefix or in fewer rows, or a step of fewer rows. */
type Variant = 'prefix' | 'fewer prompts' | `${number} of ${number} rows`;

/**
 * What was found out about each model, and what its weights were prepared for then: in 8 bits they are multiplied by other
 * kernels than in 32.
 */
const known = new WeakMap<
  LanguageModel,
  { readonly preparation: object; readonly variants: Map<Variant, boolean> }
>();

function variantsOf(model: LanguageModel): Map<Variant, boolean> {
  const preparation = preparationOf(model);
  const found = known.get(model);
  if (found?.preparation === preparation) return found.variants;
  const variants = new Map<Variant, boolean>();
  known.set(model, { preparation, variants });
  return variants;
}

/**
 * Whether a model computes the same bits in another way, so that an answer cannot depend on which way was taken; undefined
 * if `compare` has not found it out yet. Where every size is a graph to compile, no other way is worth taking.
 */
export function isSameBits(model: LanguageModel, variant: Variant): boolean | undefined {
  return hasOpenSizes() ? variantsOf(model).get(variant) : false;
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
  const isSame = expected.every((one, index) => {
    const other = found[index];
    return other !== undefined && bytesOf(one).equals(bytesOf(other));
  });
  variantsOf(model).set(variant, isSame);
  return isSame;
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
