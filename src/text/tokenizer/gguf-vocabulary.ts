import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isList, isObject, type Json, type JsonObject } from '../../core/index.ts';
import { type GgufValue, readJsonFile } from '../../formats/index.ts';
import { encodingTokenizerJson } from './encoding-tokenizer-json.ts';
import { isEncodingName } from './encodings.ts';
import { listTokens } from './gguf-token-list.ts';
import { tokenizerKind, unwritable } from './gguf-tokenizer-kind.ts';
import { startOfTextIn } from './start-of-text.ts';
import { modelOf } from './vocabulary.ts';

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
 * Describes a folder's tokenizer for llama.cpp. Throws a UserError unless it gives the same tokens there: byte-level BPE that
 * splits texts as one of llama.cpp's rules does, or BPE over characters that merges as SentencePiece does.
 */
export async function ggufVocabulary({
  folder,
  rows,
  beginning,
  ends: given,
}: TokenizerToWrite): Promise<GgufVocabulary> {
  const json = await readTokenizerJson(folder);
  const config = await readObject(join(folder, 'tokenizer_config.json'));
  const kind = tokenizerKind(json);
  const tokens = listTokens(json, { ...kind, rows });
  const around = tokensAround(json);
  const start = startOfTextIn({ json, config, vocabulary: tokens.vocabulary });
  const { anyIdOf } = tokens.vocabulary;
  const idOf = (name: unknown) => {
    const content = isObject(name) ? name.content : name;
    return typeof content === 'string' ? anyIdOf(content) : undefined;
  };
  const ends = given.filter((id) => id < rows);
  const eos = idOf(config.eos_token) ?? ends[0] ?? anyIdOf('<|endoftext|>') ?? anyIdOf('</s>');
  // llama.cpp would take the token 11.
  if (eos === undefined) throw unwritable('it names no token that ends a text');
  const [eot, eom, ...unsaid] = ends.filter((id) => id !== eos);
  const named = {
    bos: start.startOfText ?? beginning,
    eos,
    eot,
    eom,
    unknown: idOf(config.unk_token ?? modelOf(json).unk_token),
    padding: idOf(config.pad_token),
  };
  const metadata = new Map<string, GgufValue>([
    ['tokenizer.ggml.model', { text: kind.model }],
    ['tokenizer.ggml.pre', { text: kind.rule }],
    ['tokenizer.ggml.tokens', { texts: tokens.names }],
    ['tokenizer.ggml.token_type', { int32s: tokens.types }],
    ...kind.keys(tokens.names),
    ...Object.entries(named).flatMap(([name, id]) =>
      id === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, { uint32: id }] as const],
    ),
    ['tokenizer.ggml.add_bos_token', { flag: start.addsStart }],
    ['tokenizer.ggml.add_eos_token', { flag: around.last !== undefined }],
    ...(await chatTemplates(folder, config)),
  ]);
  const notes = [
    ...kind.notes,
    ...tokens.notes,
    ...(!isObject(json.normalizer) || kind.model === 'llama'
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
