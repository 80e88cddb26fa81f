import type { JsonObject } from '../../json.ts';
import type { Arrangement } from './arrangement.ts';
import type { GgufFile } from './open-gguf.ts';

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
