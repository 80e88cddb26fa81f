import { openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { formatCount } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { renderTable } from '../terminal/table.ts';
import type { Shown, ShowSource } from './shown.ts';
import { tokenText } from './token-text.ts';

export interface TokenizerSummary {
  readonly vocabulary: string;
  readonly vocabulary_size: number;
  readonly end_of_text: number;
}

/** A tokenizer's identity and size, and how it cuts a sentence. */
export async function showTokenizer({ path }: ShowSource): Promise<Shown> {
  const tokenizer = await openTokenizer(path);
  const sentence = 'Below is an instruction that describes a task.';
  const tokens = [...tokenizer.encode(sentence)];
  const summary = await tokenizerSummary(path);
  return {
    json: { ...summary, sample: { sentence, tokens } },
    text: () =>
      renderTable({
        rows: [
          ['vocabulary', safeLine(tokenizer.vocabulary)],
          ['tokens', formatCount(tokenizer.vocabularySize)],
          ['end of text', String(tokenizer.endOfText)],
          ['sample', tokens.map((token) => tokenText(token, tokenizer)).join(' ')],
        ],
        indent: '',
      }),
  };
}

/** What identifies the tokenizer of a model's or a tokenizer's folder. */
export async function tokenizerSummary(folder: string): Promise<TokenizerSummary> {
  const { vocabulary, vocabularySize, endOfText } = await openTokenizer(folder);
  return { vocabulary, vocabulary_size: vocabularySize, end_of_text: endOfText };
}
