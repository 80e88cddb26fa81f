import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { safeLine } from '../terminal/safe-text.ts';

/** A token's id and its piece of text without white space, so that it stays on one line: `262"␣the"`. */
export function tokenText(token: number, tokenizer: Tokenizer | undefined): string {
  return tokenizer ? `${token}"${safeLine(tokenizer.decode([token])).replaceAll(' ', '␣')}"` : String(token);
}
