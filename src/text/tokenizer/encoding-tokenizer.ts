import type { Tokenizer } from './tokenizer.ts';

/** OpenAI's encodings -> their tables, of which only the one that is asked for is loaded. */
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
/** Nothing is forbidden and nothing is special: a special token's name in a text is ordinary text. */
const asPlainText = { disallowedSpecial: new Set<string>() };

/** The tokenizer of one of OpenAI's encodings, r50k_base (GPT-2's) among them. */
export async function openEncoding(name: EncodingName): Promise<Tokenizer> {
  const { default: encoding } = await encodings[name]();
  const special = { allowedSpecial: new Set([endOfTextToken]) };
  const [endOfText = 0] = encoding.encode(endOfTextToken, special);
  const decodesAlone = (token: number) => isDecodable(encoding, token);
  return {
    vocabulary: name,
    vocabularySize: encoding.vocabularySize,
    endOfText,
    encode: (text) => Int32Array.from(encoding.encode(text, asPlainText)),
    decode: (tokens) => {
      const ids = Array.from(tokens);
      return encoding.decode(ids.every(decodesAlone) ? ids : ids.filter(decodesAlone));
    },
  };
}

/** A model may have more rows than its vocabulary has tokens; such ids stand for no text. */
function isDecodable(encoding: { decode: (ids: number[]) => string }, token: number): boolean {
  try {
    encoding.decode([token]);
    return true;
  } catch {
    return false;
  }
}
