import type { TextPiece } from '../records.ts';
import { type Encodable, noSpecialToken, type Tokenizer } from './tokenizer.ts';

/** OpenAI's encodings -> their tables, each loaded only when needed. */
const encodings = {
  r50k_base: () => import('gpt-tokenizer/encoding/r50k_base'),
  p50k_base: () => import('gpt-tokenizer/encoding/p50k_base'),
  p50k_edit: () => import('gpt-tokenizer/encoding/p50k_edit'),
  cl100k_base: () => import('gpt-tokenizer/encoding/cl100k_base'),
  o200k_base: () => import('gpt-tokenizer/encoding/o200k_base'),
  o200k_harmony: () => import('gpt-tokenizer/encoding/o200k_harmony'),
};

export type EncodingName = keyof typeof encodings;

export const encodingNames: readonly string[] = Object.keys(encodings);

export const isEncodingName = (name: string): name is EncodingName => Object.hasOwn(encodings, name);

const endOfTextToken = '<|endoftext|>';
/** A special token's name in a text is ordinary text. */
const asPlainText = { disallowedSpecial: new Set<string>() };

/** The tokenizer of one of OpenAI's encodings, such as r50k_base, which is GPT-2's. */
export async function openEncoding(name: EncodingName): Promise<Tokenizer> {
  const { default: encoding } = await encodings[name]();
  const special = { allowedSpecial: new Set([endOfTextToken]) };
  const [endOfText = 0] = encoding.encode(endOfTextToken, special);
  const decodesAlone = (token: number) => isDecodable(encoding, token);
  return {
    vocabulary: name,
    vocabularySize: encoding.vocabularySize,
    endOfText,
    // One token ends a text and begins the next, and OpenAI's libraries put none before a text.
    startOfText: undefined,
    addsStart: false,
    specialTokens: new Map([[endOfTextToken, endOfText]]),
    encode: (given) =>
      Int32Array.from(
        joinTexts(given).flatMap(({ text, special }) => {
          if (!special) return encoding.encode(text, asPlainText);
          if (text === endOfTextToken) return [endOfText];
          throw noSpecialToken(text, name);
        }),
      ),
    decode: (tokens) => {
      const ids = Array.from(tokens);
      return encoding.decode(ids.every(decodesAlone) ? ids : ids.filter(decodesAlone));
    },
  };
}

/** Joins adjacent texts, so that tokens can span them. */
function joinTexts(given: Encodable): readonly TextPiece[] {
  if (typeof given === 'string') return [{ text: given }];
  const stretches: TextPiece[] = [];
  for (const piece of given) {
    const last = stretches.at(-1);
    const joins = last !== undefined && !last.special && !piece.special;
    if (joins) stretches[stretches.length - 1] = { text: last.text + piece.text };
    else stretches.push(piece);
  }
  return stretches;
}

/** A model may have more rows than its vocabulary has tokens; the extra ids have no text. */
function isDecodable(encoding: { decode: (ids: number[]) => string }, token: number): boolean {
  try {
    encoding.decode([token]);
    return true;
  } catch {
    return false;
  }
}
