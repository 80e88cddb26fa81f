import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import type { Encodable, Tokenizer } from './tokenizer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What a stage's field `bos` says: as the tokenizer does, before every text, or before none. */
export type BosRule = 'auto' | 'always' | 'never';

/**
 * The token to put before a text, if any. A chat template writes its own beginning, so with `auto` none is added to its
 * text, as in transformers' `apply_chat_template`. Throws a UserError for `always` if the tokenizer has no such token.
 */
export function startToken(
  { startOfText, addsStart }: Tokenizer,
  { bos, isChat }: { readonly bos: BosRule; readonly isChat: boolean },
): number | undefined {
  switch (bos) {
    case 'auto':
      return addsStart && !isChat ? startOfText : undefined;
    case 'always':
      if (startOfText !== undefined) return startOfText;
      throw new UserError({
        code: 'no-start-of-text',
        message: '`bos: always` needs a token that begins a text, and the tokenizer names none',
        help: 'leave `bos` out, or name the token as `bos_token` in the tokenizer_config.json',
      });
    case 'never':
      return undefined;
    default:
      return bos satisfies never;
  }
}

/** What the first token of a text follows when it is scored: the beginning of a text, else the end of another. */
export const emptyContext = (
  { startOfText, endOfText }: Pick<Tokenizer, 'startOfText' | 'endOfText'>,
  bos: BosRule,
): number => (bos === 'never' ? endOfText : (startOfText ?? endOfText));

/** The ids of a text after `start`, which is not repeated if the text begins with that special token. */
export function encodeFrom(
  start: number | undefined,
  {
    tokenizer,
    text,
  }: { readonly tokenizer: Pick<Tokenizer, 'encode' | 'specialTokens'>; readonly text: Encodable },
): Int32Array {
  const tokens = tokenizer.encode(text);
  const first = typeof text === 'string' ? undefined : text[0];
  const begins = first?.special !== undefined && tokenizer.specialTokens.get(first.text) === start;
  return start === undefined || begins ? tokens : Int32Array.of(start, ...tokens);
}

interface TokenizerJson {
  readonly json: JsonObject;
  /** The content of tokenizer_config.json. */
  readonly config: JsonObject;
  readonly vocabulary: Vocabulary;
}

/** Classes of transformers that put the token there unless their configuration says otherwise. */
const startingClass = /^(Llama|CodeLlama|Gemma|Cohere)Tokenizer(Fast)?$/;

/**
 * The token that begins a text, and whether transformers puts it there: `add_bos_token` says so, else the template of
 * the post-processor, else the tokenizer's class.
 */
export function startOfTextIn({
  json,
  config,
  vocabulary,
}: TokenizerJson): Pick<Tokenizer, 'startOfText' | 'addsStart'> {
  const { bos_token: named, add_bos_token: adds, tokenizer_class: className } = config;
  const name = isObject(named) ? named.content : named;
  const own = typeof name === 'string' ? vocabulary.anyIdOf(name) : undefined;
  const processor = json.post_processor ?? null;
  const written = firstSpecial(processor);
  const startOfText = own ?? written;
  if (startOfText === undefined) return { startOfText, addsStart: false };
  if (typeof adds === 'boolean') return { startOfText, addsStart: adds };
  if (written !== undefined) return { startOfText: written, addsStart: true };
  const isStarting = processor === null && typeof className === 'string' && startingClass.test(className);
  return { startOfText, addsStart: isStarting };
}

/** The special token that a post-processor puts before a single text. */
function firstSpecial(processor: Json): number | undefined {
  if (!isObject(processor)) return undefined;
  const { type, processors, single, special_tokens: tokens, cls } = processor;
  if (type === 'Sequence' && isList(processors))
    return processors.map(firstSpecial).find((id) => id !== undefined);
  if (type === 'RobertaProcessing' || type === 'BertProcessing')
    return isList(cls) && typeof cls[1] === 'number' ? cls[1] : undefined;
  if (type !== 'TemplateProcessing' || !isList(single) || !isObject(tokens)) return undefined;
  const [first = null] = single;
  const special = isObject(first) && isObject(first.SpecialToken) ? first.SpecialToken.id : undefined;
  const token = typeof special === 'string' ? tokens[special] : undefined;
  const [id] = isObject(token) && isList(token.ids) ? token.ids : [];
  return typeof id === 'number' ? id : undefined;
}
