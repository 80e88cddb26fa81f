import type { Tokenizer } from '../../text/index.ts';
import type { TokenName } from './protocol.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * How tokens are told. Every token has a name, as tools compare names: its text, or its bytes as OpenAI writes them
 * where it is part of a character, or its id where a model has more logits than its tokenizer has tokens.
 */
export function tokenNames({ bytesOf, vocabularySize }: Tokenizer): (token: number) => TokenName {
  const known = new Map<number, TokenName>();
  return (token) => {
    const found = known.get(token) ?? nameOf(token < vocabularySize ? bytesOf(token) : none, token);
    known.set(token, found);
    return found;
  };
}

const none = new Uint8Array();

function nameOf(bytes: Uint8Array, token: number): TokenName {
  if (bytes.length === 0) return { text: `token_id:${token}`, bytes: [] };
  return { text: textOf(bytes), bytes: [...bytes] };
}

function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return `bytes:${Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}`;
  }
}
