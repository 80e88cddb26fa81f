import { wordsOf } from '../../text/index.ts';

/** How BLEU divides a text into words, by sacrebleu's names. */
export const bleuTokenizers = {
  /** Of NIST's mteval-v13a.pl, which WMT's figures rest on: punctuation is apart, except within numbers. */
  '13a': (text: string) => {
    const line = text
      .replaceAll('<skipped>', '')
      .replaceAll('-\n', '')
      .replaceAll('\n', ' ')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>');
    return wordsOf(
      ` ${line} `
        .replace(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
        .replace(/([^0-9])([.,])/gu, '$1 $2 ')
        .replace(/([.,])([^0-9])/gu, ' $1 $2')
        .replace(/([0-9])(-)/g, '$1 $2 '),
    );
  },
  /** Of mteval-v14.pl: the punctuation and symbols of all languages are apart. */
  intl: (text: string) =>
    wordsOf(
      text
        .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
        .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
        .replace(/(\p{S})/gu, ' $1 '),
    ),
  /** Every character is a word; for languages that write no spaces. */
  char: (text: string) => [...text].flatMap(wordsOf),
  /** For texts whose words are already apart. */
  none: wordsOf,
} satisfies Readonly<Record<string, (text: string) => readonly string[]>>;

export type BleuTokenizer = keyof typeof bleuTokenizers;
