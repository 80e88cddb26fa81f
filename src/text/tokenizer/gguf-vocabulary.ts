import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { type GgufValue, readJsonFile } from '../../formats/index.ts';
import { encodingTokenizerJson } from './encoding-tokenizer-json.ts';
import { isEncodingName } from './encodings.ts';
import { ggufPreTokenizer, ignoresMerges, preTokenizerNames } from './pre-tokenizer.ts';
import { modelOf, vocabularyEntries, vocabularyOf } from './vocabulary.ts';
import { wordSplitterOf } from './word-splitter.ts';

/** A model's tokenizer as a GGUF file describes it. */
export interface GgufVocabulary {
  /** The keys `tokenizer.*`. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
  /** For the user: what the file cannot say. */
  readonly notes: readonly string[];
}

interface TokenizerToWrite {
  /** Has tokenizer.json or encoding.json. */
  readonly folder: string;
  /** The rows of the model's embedding; a row without a token gets a placeholder, as in llama.cpp's own converter. */
  readonly rows: number;
  /** The token that begins a text, if the model's config.json names one. */
  readonly beginning?: number | undefined;
  /** The tokens that end an answer. */
  readonly ends: readonly number[];
}

/**
 * Describes a folder's tokenizer for llama.cpp. Throws a UserError unless it is byte-level BPE that splits texts as one of
 * llama.cpp's rules does, since only such a one gives the same tokens there.
 */
export async function ggufVocabulary({
  folder,
  rows,
  beginning,
  ends: given,
}: TokenizerToWrite): Promise<GgufVocabulary> {
  const json = await readTokenizerJson(folder);
  const config = await readObject(join(folder, 'tokenizer_config.json'));
  const rule = splittingRule(json);
  const tokens = listTokens(json, rows);
  const around = tokensAround(json);
  const idOf = (name: unknown) => {
    const content = isObject(name) ? name.content : name;
    return typeof content === 'string' ? tokens.idOf(content) : undefined;
  };
  const ends = given.filter((id) => id < rows);
  const eos = idOf(config.eos_token) ?? ends[0] ?? tokens.idOf('<|endoftext|>') ?? tokens.idOf('</s>');
  // llama.cpp would take the token 11.
  if (eos === undefined) throw unwritable('it names no token that ends a text');
  const [eot, eom, ...unsaid] = ends.filter((id) => id !== eos);
  const named = {
    bos: idOf(around.first ?? config.bos_token) ?? beginning,
    eos,
    eot,
    eom,
    unknown: idOf(config.unk_token),
    padding: idOf(config.pad_token),
  };
  const metadata = new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { text: 'gpt2' }],
    ['tokenizer.ggml.pre', { text: rule }],
    ['tokenizer.ggml.tokens', { texts: tokens.names }],
    ['tokenizer.ggml.token_type', { int32s: tokens.types }],
    ['tokenizer.ggml.merges', { texts: mergesOf(json) }],
    ...Object.entries(named).flatMap(([name, id]) =>
      id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, { uint32: id }] as const],
    ),
    ['tokenizer.ggml.add_bos_token', { flag: around.first !== undefined }],
    ['tokenizer.ggml.add_eos_token', { flag: around.last !== undefined }],
    ...(await chatTemplates(folder, config)),
  ]);
  const notes = [
    ...tokens.notes,
    ...(!isObject(json.normalizer)
      ? []
      : ['the tokenizer normalizes texts to NFC, which llama.cpp does not: give it normalized texts']),
    ...(unsaid.length === 0
      ? []
      : [`a GGUF file has room for three tokens that end an answer; left out: ${unsaid.join(', ')}`]),
  ];
  return { metadata, notes };
}

async function readTokenizerJson(folder: string): Promise<JsonObject> {
  const named = await readJsonFile(join(folder, 'encoding.json'));
  const encoding = isObject(named) ? named.encoding : undefined;
  if (typeof encoding === 'string' && isEncodingName(encoding)) return encodingTokenizerJson(encoding);
  const json = await readJsonFile(join(folder, 'tokenizer.json'));
  if (isObject(json)) return json;
  throw unwritable('the model has none');
}

const readObject = async (path: string): Promise<JsonObject> => {
  const json = await readJsonFile(path);
  return isObject(json) ? json : {};
};

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
  if (model.type !== 'BPE' || model.byte_fallback === true || !isByteLevel(json.decoder))
    throw unwritable(
      'only a vocabulary of byte-level BPE can be written, as GPT-2, Llama 3, Qwen and SmolLM have it',
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
const types = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 };

interface TokenList {
  readonly names: readonly string[];
  readonly types: readonly number[];
  readonly idOf: (token: string) => number | undefined;
  readonly notes: readonly string[];
}

function listTokens(json: JsonObject, rows: number): TokenList {
  const vocabulary = vocabularyOf(json);
  if (vocabulary.size > rows)
    throw unwritable(`it has ${vocabulary.size} tokens, but the model has ${rows} embeddings`);
  const names = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const kinds = Array.from({ length: rows }, () => types.unused);
  for (const [token, id] of vocabularyEntries(modelOf(json))) [names[id], kinds[id]] = [token, types.normal];
  for (const { content, id, special } of vocabulary.added)
    [names[id], kinds[id]] = [content, special ? types.control : types.userDefined];
  const strips = vocabulary.added.filter(({ lstrip, rstrip, singleWord }) => lstrip || rstrip || singleWord);
  return {
    names,
    types: kinds,
    idOf: vocabulary.anyIdOf,
    notes:
      strips.length === 0
        ? []
        : [
            `${strips.length} added tokens take the space around them (\`lstrip\`, \`rstrip\`, \`single_word\`), which llama.cpp does not`,
          ],
  };
}

function mergesOf(json: JsonObject): readonly string[] {
  return listOf(modelOf(json).merges).map((merge) => {
    if (typeof merge === 'string') return merge;
    if (isList(merge) && merge.length === 2) return merge.join(' ');
    throw unwritable(`it has ${JSON.stringify(merge)} as a merge`);
  });
}

/** The special tokens that the post-processor puts before and after a text. */
function tokensAround(json: JsonObject): { readonly first?: string; readonly last?: string } {
  const parts = processorsIn(json.post_processor);
  const template = parts.find(({ type }) => type === 'TemplateProcessing');
  const others = parts.filter((part) => part !== template && part.type !== 'ByteLevel');
  const names = listOf(template?.single).map((part) => {
    const special = isObject(part) ? part.SpecialToken : undefined;
    return isObject(special) ? String(special.id) : undefined;
  });
  const text = names.indexOf(undefined);
  const isSimple =
    names.filter((name) => name === undefined).length === 1 &&
    text <= 1 &&
    names.length - text <= 2 &&
    text >= 0;
  if (others.length > 0 || (template !== undefined && !isSimple))
    throw unwritable('its `post_processor` adds more than one token before and one after a text');
  const [first, last] = [names[text - 1], names[text + 1]];
  return { ...(first !== undefined && { first }), ...(last !== undefined && { last }) };
}

function processorsIn(processor: Json | undefined): readonly JsonObject[] {
  if (!isObject(processor)) return [];
  if (processor.type !== 'Sequence') return [processor];
  return listOf(processor.processors).flatMap(processorsIn);
}

const listOf = (value: Json | undefined): readonly Json[] => (isList(value) ? value : []);

/** `tokenizer.chat_template`, and further ones by name. */
async function chatTemplates(
  folder: string,
  { chat_template: own }: JsonObject,
): Promise<readonly (readonly [string, GgufValue])[]> {
  const file = await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => undefined);
  const key = 'tokenizer.chat_template';
  if (file !== undefined) return [[key, { text: file }]];
  if (typeof own === 'string') return [[key, { text: own }]];
  const named = listOf(own).flatMap((each) =>
    isObject(each) && typeof each.name === 'string' && typeof each.template === 'string'
      ? [{ name: each.name, template: each.template }]
      : [],
  );
  const others = named.filter(({ name }) => name !== 'default');
  return [
    ...named.flatMap(({ name, template }) => [
      [name === 'default' ? key : `${key}.${name}`, { text: template }] as const,
    ]),
    ...(others.length === 0
      ? []
      : [['tokenizer.chat_templates', { texts: others.map(({ name }) => name) }] as const]),
  ];
}

const unwritable = (why: string): UserError =>
  new UserError({
    code: 'unsupported-tokenizer',
    message: `the tokenizer cannot be written as GGUF: ${why}`,
  });
