import type { JsonObject } from '../../core/index.ts';
import type { GgufFile, QuantizedBlocks } from '../../formats/index.ts';
import type { ModelSizes } from '../family.ts';
import type { RotaryFactors } from './rope-scaling.ts';

/** How llama.cpp writes an architecture, in terms of Hugging Face's checkpoints. */
export interface GgufArchitecture {
  /** The config.json that corresponds to the file's metadata. Throws a UserError if something in it is not supported. */
  readonly config: (file: GgufDescription) => JsonObject;
  readonly names: GgufNames;
  /** How a parameter's values are reordered. `module` is its name within the layer, `kind` is `weight` or `bias`. */
  readonly permutation: (
    parameter: { readonly module: string; readonly kind: string },
    heads: Pick<ModelSizes, 'heads' | 'keyValueHeads'>,
  ) => Permutation;
}

/** What a file says about its model. */
export interface GgufDescription extends Pick<GgufFile, 'path' | 'metadata' | 'tensors'> {
  readonly rotaryFactors?: RotaryFactors | undefined;
}

/** Hugging Face's module names -> llama.cpp's. */
export interface GgufNames {
  /** The prefix of layers, before their number. */
  readonly layers: string;
  /** Outside the layers, by whole name. */
  readonly outer: ReadonlyMap<string, string>;
  /** Within a layer. */
  readonly inner: ReadonlyMap<string, string>;
}

export interface StoredParameter {
  readonly name: string;
  readonly permutation: Permutation;
  /** Which of the matrices of a tensor that has one for each expert. */
  readonly expert?: number | undefined;
}

/** The stored tensor of a parameter. */
export function storedParameter(
  { names, permutation }: GgufArchitecture,
  parameter: string,
  sizes: Pick<ModelSizes, 'heads' | 'keyValueHeads'>,
): StoredParameter {
  const [, whole = '', kind = ''] = /^(.+)\.(weight|bias)$/.exec(parameter) ?? [];
  const [, layer, inLayer] = whole.startsWith(`${names.layers}.`)
    ? (/^(\d+)\.(.+)$/.exec(whole.slice(names.layers.length + 1)) ?? [])
    : [];
  const [, experts, expert, projection] = /^(.+\.experts)\.(\d+)\.(.+)$/.exec(inLayer ?? '') ?? [];
  const module = projection === undefined ? (inLayer ?? whole) : `${experts}.${projection}`;
  const name = (layer === undefined ? names.outer : names.inner).get(module);
  if (name === undefined) throw new Error(`No tensor is known for ${parameter}`);
  return {
    name: `${layer === undefined ? '' : `blk.${layer}.`}${name}.${kind}`,
    permutation: permutation({ module, kind }, sizes),
    ...(expert !== undefined && { expert: Number(expert) }),
  };
}

/** The metadata of an architecture: the keys that start with its name. */
export function metadataOf({ metadata }: GgufDescription, architecture: string): JsonObject {
  return Object.fromEntries([...metadata].filter(([key]) => key.startsWith(`${architecture}.`)));
}

/** The fields of config.json that every model has: vocabulary, head, and the ids of the tokens that start and end a text. */
export function commonConfig({ metadata, tensors }: GgufDescription): JsonObject {
  const named = (['bos_token_id', 'eos_token_id'] as const).flatMap((name) => {
    const id = metadata.get(`tokenizer.ggml.${name}`);
    return id === undefined ? [] : [[name, id] as const];
  });
  return {
    // The embedding has a row for every token.
    vocab_size: tensors.get('token_embd.weight')?.shape[0] ?? 0,
    // A head is stored only if it is not the embedding.
    tie_word_embeddings: !tensors.has('output.weight'),
    torch_dtype: 'float32',
    ...Object.fromEntries(named),
  };
}

/** How llama.cpp reorders a parameter's values. */
type Permutation =
  | 'none'
  /** [in, out] in Hugging Face's checkpoints, [out, in] here. */
  | 'transposed'
  | HeadPermutation
  /** A norm's weight is 1 less than its scale; the scale is stored here. */
  | 'one more';

type HeadPermutation =
  /** Dimensions i and i + D / 2 of a head, which are rotated together, are adjacent here. */
  | { readonly pairedHeads: number }
  /** The rows of a head's query, key and value follow each other; here all queries come first, then keys, then values. */
  | { readonly joinedHeads: number };

/** The values in the order of Hugging Face's checkpoints. */
export function undoPermutation({
  values,
  shape,
  permutation,
}: {
  readonly values: Float32Array;
  /** As stored, [rows, columns]. */
  readonly shape: readonly number[];
  readonly permutation: Permutation;
}): Float32Array {
  if (permutation === 'none') return values;
  if (permutation === 'one more') return values.map((value) => value - 1);
  const [rows = 0, columns = 1] = shape;
  if (permutation === 'transposed') return transpose(values, { rows, columns });
  return restoreRows(values, { rows, restored: restoredRow(permutation, rows) });
}

/**
 * The same of a matrix in blocks, whose rows are the outputs in any case: a matrix that is stored transposed is as it should
 * be. Undefined for values that change.
 */
export function undoRowPermutation(
  blocks: QuantizedBlocks,
  { rows, permutation }: { readonly rows: number; readonly permutation: Permutation },
): QuantizedBlocks | undefined {
  if (permutation === 'none' || permutation === 'transposed') return blocks;
  if (permutation === 'one more') return undefined;
  const order = { rows, restored: restoredRow(permutation, rows) };
  const { bytes, scales, minima } = blocks;
  return {
    ...blocks,
    bytes: restoreRows(bytes, order),
    scales: restoreRows(scales, order),
    minima: minima && restoreRows(minima, order),
  };
}

/** The values in llama.cpp's order; the inverse of `undoPermutation`. */
export function permute({
  values,
  shape,
  permutation,
}: {
  readonly values: Float32Array;
  /** As in Hugging Face's checkpoints, [rows, columns]. */
  readonly shape: readonly number[];
  readonly permutation: Permutation;
}): Float32Array {
  if (permutation === 'none') return values;
  const [rows = 0, columns = 0] = shape;
  if (permutation === 'transposed') return transpose(values, { rows, columns });
  if (permutation === 'one more') return values.map((value) => value + 1);
  const [restored, width] = [restoredRow(permutation, rows), values.length / rows];
  const permuted = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const source = width * restored(row);
    permuted.set(values.subarray(source, source + width), row * width);
  }
  return permuted;
}

function transpose(values: Float32Array, { rows, columns }: { rows: number; columns: number }): Float32Array {
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      transposed[column * rows + row] = values[row * columns + column] ?? 0;
  return transposed;
}

/** Moves each row of a matrix to where it is restored. */
function restoreRows<Values extends Float32Array | Uint8Array>(
  values: Values,
  { rows, restored }: { readonly rows: number; readonly restored: (row: number) => number },
): Values {
  const moved = values.slice() as Values; // of the same type
  const width = values.length / rows;
  for (let row = 0; row < rows; row++)
    moved.set(values.subarray(row * width, (row + 1) * width), restored(row) * width);
  return moved;
}

/** The row in Hugging Face's checkpoints of a row of a GGUF file. */
function restoredRow(permutation: HeadPermutation, rows: number): (row: number) => number {
  if ('joinedHeads' in permutation) {
    // Undoes the order of llama.cpp's convert_hf_to_gguf.py: [3, H, D] -> [H, 3, D].
    const heads = permutation.joinedHeads;
    const headDim = rows / 3 / heads;
    return (row) => {
      const [inHead, head] = [row % headDim, Math.floor(row / headDim) % heads];
      return (head * 3 + Math.floor(row / headDim / heads)) * headDim + inHead;
    };
  }
  // Undoes `reshape(heads, 2, D / 2, columns).swapaxes(1, 2)` there.
  const headDim = rows / permutation.pairedHeads;
  return (row) => {
    const inHead = row % headDim;
    const half = inHead % 2 === 0 ? 0 : headDim / 2;
    return row - inHead + half + (inHead >> 1);
  };
}
