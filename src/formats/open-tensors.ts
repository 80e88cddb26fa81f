import { openGguf } from './gguf/open-gguf.ts';
import { openSafetensors } from './safetensors/open-safetensors.ts';

/** The tensors of a file, without their values. */
export interface TensorListing extends AsyncDisposable {
  readonly tensors: ReadonlyMap<string, ListedTensor>;
}

interface ListedTensor {
  readonly shape: readonly number[];
  /** The element type, or the format of its blocks. */
  readonly dtype: string;
  /** Where its bytes are in the file. */
  readonly begin: number;
  readonly end: number;
}

/** Opens a safetensors or, by its extension, a GGUF file for the list of its tensors. Throws a UserError if it is invalid. */
export async function openTensors(path: string): Promise<TensorListing> {
  if (!path.endsWith('.gguf')) return openSafetensors(path);
  const file = await openGguf(path);
  const listed = [...file.tensors].map(
    ([name, { format, ...tensor }]) => [name, { ...tensor, dtype: format }] as const,
  );
  return { tensors: new Map(listed), [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
}
