import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import type { GgufValue } from '../../formats/index.ts';
import { isSentencePiece, sentencePieceScores } from './gguf-sentence-pieces.ts';
import { ggufPreTokenizer, ignoresMerges, preTokenizerNames } from './pre-tokenizer.ts';
import { modelOf } from './vocabulary.ts';
import { wordSplitterOf } from './word-splitter.ts';

/** How llama.cpp makes tokens of texts. */
export interface TokenizerKind {
  /** `tokenizer.ggml.model` */
  readonly model: 'gpt2' | 'llama';
  /** `tokenizer.ggml.pre` */
  readonly rule: string;
  /** The type of a token of the vocabulary that is not an added one. */
  readonly typeOf: (token: string) => number;
  /** What else it needs; `names` are the tokens by id. */
  readonly keys: (names: readonly string[]) => readonly (readonly [string, GgufValue])[];
  readonly notes: readonly string[];
}

/** Throws a UserError if llama.cpp has no such tokenizer. */
export const tokenizerKind = (json: JsonObject): TokenizerKind =>
  isSentencePiece(json) ? sentencePieceKind(json) : bytePairKind(json);

const bytePairKind = (json: JsonObject): TokenizerKind => ({
  model: 'gpt2',
  rule: splittingRule(json),
  typeOf: () => ggufTokenTypes.normal,
  keys: () => [['tokenizer.ggml.merges', { texts: mergesOf(json) }]],
  notes: [],
});

function sentencePieceKind(json: JsonObject): TokenizerKind {
  const pieces = sentencePieceScores(json);
  if (typeof pieces === 'string') throw unwritable(pieces);
  const { scoreOf, spacePrefix, notes } = pieces;
  const { unk_token: unknown } = modelOf(json);
  return {
    model: 'llama',
    rule: 'default',
    typeOf: (token) =>
      token === unknown
        ? ggufTokenTypes.unknown
        : /^<0x[0-9A-F]{2}>$/.test(token)
          ? ggufTokenTypes.byte
          : ggufTokenTypes.normal,
    keys: (names) => [
      ['tokenizer.ggml.scores', { float32s: names.map(scoreOf) }],
      ['tokenizer.ggml.add_space_prefix', { flag: spacePrefix }],
    ],
    notes,
  };
}

/** Texts that rules split differently: contractions, runs of digits, spaces, line feeds, punctuation and scripts. */
const probes = [
  "I'm sure THEY'LL say it isn't John's, we've  seen 1 12 123 1234567 ½ ٣٤٥",
  'a  b   c\n\nd \n e\t\tf\r\n\r\n  g   \n   ',
  '"Hello,world!!!" <|x|> $5.00 == x_y (a+b)^2 ... ~#!/bin/sh --no-op',
  'naïve Übung 日本語テキスト Привет мир हिन्दी 😀👍🏽 e\u0301 \u00a0\u3000\u200b',
  ' leading',
  'trailing ',
  "don'T WE'VE 'tis",
  '1.234,5',
  'end.\n\nNext',
  'tab\tstop;\n{\n\t}\n',
];

/** The name of llama.cpp's rule that splits texts, and builds tokens, as the tokenizer does. */
function splittingRule(json: JsonObject): string {
  const model = modelOf(json);
  if (model.type !== 'BPE' || !isByteLevel(json.decoder))
    throw unwritable(
      'only a vocabulary of BPE can be written, over bytes as GPT-2, Llama 3, Qwen and SmolLM have it, or over characters and bytes as Llama 2, Mistral and Gemma',
    );
  const affixes = ['continuing_subword_prefix', 'end_of_word_suffix'] as const;
  for (const name of affixes)
    if ((model[name] ?? '') !== '') throw unwritable(`it has a \`${name}\`, which GGUF cannot express`);
  if (isObject(json.normalizer) && json.normalizer.type !== 'NFC')
    throw unwritable('it has a `normalizer`, which GGUF cannot express');
  const own = splits(json.pre_tokenizer ?? null);
  const found = preTokenizerNames.find(
    (name) =>
      ignoresMerges(name) === (model.ignore_merges === true) &&
      splits(ggufPreTokenizer(name) ?? null) === own,
  );
  if (found !== undefined) return found;
  throw unwritable(`it splits texts in its own way; these can be written: ${preTokenizerNames.join(', ')}`);
}

const isByteLevel = (decoder: Json | undefined): boolean => isObject(decoder) && decoder.type === 'ByteLevel';

function splits(preTokenizer: Json): string {
  const split = wordSplitterOf(preTokenizer);
  return JSON.stringify(probes.map((text) => split({ words: [text], isBeginning: true })));
}

/** Token types of llama.cpp. */
export const ggufTokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 };

function mergesOf(json: JsonObject): readonly string[] {
  return listOf(modelOf(json).merges).map((merge) => {
    if (typeof merge === 'string') return merge;
    if (isList(merge) && merge.length === 2) return merge.join(' ');
    throw unwritable(`it has ${JSON.stringify(merge)} as a merge`);
  });
}

const listOf = (value: Json | undefined): readonly Json[] => (isList(value) ? value : []);

export const unwritable = (why: string): UserError =>
  new UserError({
    code: 'unsupported-tokenizer',
    message: `the tokenizer cannot be written as GGUF: ${why}`,
  });
