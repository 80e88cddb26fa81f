import type { JsonObject } from '../../core/index.ts';
import type { GgufFile } from '../../formats/index.ts';

/** How llama.cpp writes an architecture, told in Hugging Face's terms. */
export interface GgufArchitecture {
  /** What config.json says, from the file's metadata. Throws a UserError where that says what is not supported. */
  readonly config: (file: GgufFile) => JsonObject;
  readonly names: GgufNames;
  /** How the values of a part of a layer stand. */
  readonly arrangement: (parameter: ParameterPart, heads: Heads) => Arrangement;
}

/** Hugging Face's names of modules, each with llama.cpp's. */
export interface GgufNames {
  /** What layers are called, before their number. */
  readonly layers: string;
  /** Outside of the layers, by the whole name. */
  readonly outer: ReadonlyMap<string, string>;
  /** Within a layer. */
  readonly inner: ReadonlyMap<string, string>;
}

/** A parameter by the name of its module, which for those of a layer is that within the layer. */
export interface ParameterPart {
  readonly module: string;
  readonly kind: string;
}

export interface Heads {
  readonly heads: number;
  readonly keyValueHeads: number;
}

export interface StoredParameter {
  readonly name: string;
  readonly arrangement: Arrangement;
}

/** Where the parameter of that name stands in a file. */
export function storedParameter(
  { names, arrangement }: GgufArchitecture,
  parameter: string,
  heads: Heads,
): StoredParameter {
  const [, whole = '', kind = ''] = /^(.+)\.(weight|bias)$/.exec(parameter) ?? [];
  const [, layer, inLayer] = whole.startsWith(`${names.layers}.`)
    ? (/^(\d+)\.(.+)$/.exec(whole.slice(names.layers.length + 1)) ?? [])
    : [];
  const module = inLayer ?? whole;
  const name = (layer === undefined ? names.outer : names.inner).get(module);
  if (name === undefined) throw new Error(`No tensor is known for ${parameter}`);
  return {
    name: `${layer === undefined ? '' : `blk.${layer}.`}${name}.${kind}`,
    arrangement: arrangement({ module, kind }, heads),
  };
}

/** The metadata that belongs to an architecture: the keys that begin with its name. */
export function metadataOf({ metadata }: GgufFile, architecture: string): JsonObject {
  return Object.fromEntries([...metadata].filter(([key]) => key.startsWith(`${architecture}.`)));
}

/** What config.json says of every model: its vocabulary, its head, and the ids of the tokens that begin and end a text. */
export function commonConfig({ metadata, tensors }: GgufFile): JsonObject {
  const named = (['bos_token_id', 'eos_token_id'] as const).flatMap((name) => {
    const id = metadata.get(`tokenizer.ggml.${name}`);
    return id === undefined ? [] : [[name, id] as const];
  });
  return {
    // The embedding has a row for every token.
    vocab_size: tensors.get('token_embd.weight')?.shape[0] ?? 0,
    // A head is stored only where it is not the embedding itself.
    tie_word_embeddings: !tensors.has('output.weight'),
    torch_dtype: 'float32',
    ...Object.fromEntries(named),
  };
}

/** How llama.cpp has reordered a parameter's values. */
type Arrangement =
  | 'same'
  /** [in, out] in Hugging Face's checkpoints, [out, in] here. */
  | 'transposed'
  /** Rotary dimensions that turn together, i and i + D / 2 of a head, stand side by side here. */
  | { readonly pairedHeads: number };

interface ArrangedValues {
  readonly values: Float32Array;
  /** As stored, [rows, columns]. */
  readonly shape: readonly number[];
  readonly arrangement: Arrangement;
}

/** The values in the order of Hugging Face's checkpoints. */
export function restoreOrder({ values, shape, arrangement }: ArrangedValues): Float32Array {
  if (arrangement === 'same') return values;
  const [rows = 0, columns = 0] = shape;
  if (arrangement === 'transposed') return transpose(values, { rows, columns });
  return separatePairs(values, { headDim: rows / arrangement.pairedHeads, columns });
}

function transpose(values: Float32Array, { rows, columns }: { rows: number; columns: number }): Float32Array {
  const transposed = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      transposed[column * rows + row] = values[row * columns + column] ?? 0;
  return transposed;
}

/** Undoes `reshape(heads, 2, D / 2, columns).swapaxes(1, 2)` of llama.cpp's convert_hf_to_gguf.py. */
function separatePairs(
  values: Float32Array,
  { headDim, columns }: { headDim: number; columns: number },
): Float32Array {
  const separated = new Float32Array(values.length);
  for (let row = 0; row * columns < values.length; row++) {
    const place = row % headDim;
    const half = place % 2 === 0 ? 0 : headDim / 2;
    const target = row - place + half + (place >> 1);
    separated.set(values.subarray(row * columns, (row + 1) * columns), target * columns);
  }
  return separated;
}
