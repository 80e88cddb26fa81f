import type { JsonObject } from '../../json.ts';
import type { Arrangement } from './arrangement.ts';
import type { GgufFile } from './open-gguf.ts';

/** How llama.cpp writes an architecture, told in Hugging Face's terms. */
export interface GgufArchitecture {
  /** What config.json says, from the file's metadata. Throws a UserError where that says what is not supported. */
  readonly config: (file: GgufFile) => JsonObject;
  /** Where the parameter of that name stands. */
  readonly stored: (
    parameter: string,
    config: { readonly heads: number; readonly keyValueHeads: number },
  ) => StoredParameter;
}

export interface StoredParameter {
  readonly name: string;
  readonly arrangement: Arrangement;
}

/** The metadata that belongs to an architecture: the keys that begin with its name. */
export function metadataOf({ metadata }: GgufFile, architecture: string): JsonObject {
  return Object.fromEntries([...metadata].filter(([key]) => key.startsWith(`${architecture}.`)));
}

/** The ids of the tokens that begin and end a text, as config.json names them. */
export function endTokens({ metadata }: GgufFile): JsonObject {
  const names = ['bos_token_id', 'eos_token_id'] as const;
  return Object.fromEntries(
    names.flatMap((name) => {
      const id = metadata.get(`tokenizer.ggml.${name}`);
      return id === undefined ? [] : [[name, id]];
    }),
  );
}

/** How many tokens the embedding has rows for. */
export const vocabularySizeOf = ({ tensors }: GgufFile): number =>
  tensors.get('token_embd.weight')?.shape[0] ?? 0;

/** A head is stored only where it is not the embedding itself. */
export const isTied = ({ tensors }: GgufFile): boolean => !tensors.has('output.weight');
