import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../core/index.ts';

/** What differs between tokenizers of byte-level BPE, by the names of tokenizer.json. */
interface BytePairs {
  readonly added_tokens: readonly JsonObject[];
  readonly pre_tokenizer: Json;
  readonly post_processor: Json;
  /** Whether a word that is a token is never built by merges. */
  readonly ignore_merges: boolean;
  readonly vocab: JsonObject;
  readonly merges: readonly (readonly string[])[];
}

/** The contents of tokenizer.json and tokenizer_config.json. */
export interface TokenizerFiles {
  readonly tokenizer: JsonObject;
  readonly config: JsonObject;
}

export async function writeTokenizer(folder: string, { tokenizer, config }: TokenizerFiles): Promise<void> {
  await writeFile(join(folder, 'tokenizer.json'), `${JSON.stringify(tokenizer)}\n`);
  await writeFile(join(folder, 'tokenizer_config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
}

/** An entry of `added_tokens`. */
export const addedToken = (token: { id: number; content: string; special: boolean }): JsonObject => ({
  id: token.id,
  content: token.content,
  ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  special: token.special,
});

/** A tokenizer of byte-level BPE; `config` names its special tokens. */
export const bytePairTokenizer = (pairs: BytePairs, config: JsonObject): TokenizerFiles => ({
  tokenizer: tokenizerJson(pairs),
  config: { tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false, ...config },
});

const tokenizerJson = ({ ignore_merges, vocab, merges, ...parts }: BytePairs): JsonObject => ({
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: parts.added_tokens,
  normalizer: null,
  pre_tokenizer: parts.pre_tokenizer,
  post_processor: parts.post_processor,
  decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
  model: {
    type: 'BPE',
    dropout: null,
    unk_token: null,
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    ignore_merges,
    vocab,
    merges,
  },
});
