import * as library from '@huggingface/tokenizers';
import type { JsonObject } from '../../core/index.ts';

interface LibraryParts {
  readonly BertNormalizer: new (config: JsonObject) => LibraryNormalizer;
  readonly PrecompiledNormalizer: new (config: JsonObject) => LibraryNormalizer;
  readonly SplitPreTokenizer: new (config: JsonObject) => { readonly pattern: RegExp | null };
}

interface LibraryNormalizer {
  normalize(text: string): string;
}

/** Exports that the library's types leave out, because they name their modules without extensions. */
export const { BertNormalizer, PrecompiledNormalizer, SplitPreTokenizer } =
  library as unknown as LibraryParts;
