import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { TokenizedRecord } from '../../text/tokenized-record.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Shown, ShowSource } from './shown.ts';
import { tokenText } from './token-text.ts';
import { windowNote, windowOf } from './window.ts';

const DEFAULT_LIMIT = 3;

/** Each record's token ids beside the pieces of text that they stand for, segment by segment. */
export async function showTokens(source: ShowSource): Promise<Shown> {
  const { path, offset, limit = DEFAULT_LIMIT } = source;
  const { records, vocabulary } = await portCodecs.tokens.read(path).read();
  const window = await windowOf(records, { offset, limit });
  const tokenizer = await source.tokenizer(vocabulary);
  return {
    json: {
      vocabulary,
      ...window,
      items: window.items.map((record) => ({ ...record, tokens: [...record.tokens] })),
    },
    text: (terminal) =>
      [
        ...window.items.map((record) => {
          const lines = [{ label: 'id', text: safeLine(record.id) }, ...segmentLines(record, tokenizer)];
          return `${labelledText(lines, { terminal, indent: '' })}\n`;
        }),
        windowNote(window, 'records'),
      ]
        .join('\n')
        .trimEnd(),
  };
}

function segmentLines({ tokens, segments }: TokenizedRecord, tokenizer: Tokenizer | undefined) {
  return segments.map(({ role, end }, index) => {
    const begin = segments[index - 1]?.end ?? 0;
    const pieces = [...tokens.subarray(begin, end)].map((token) => tokenText(token, tokenizer));
    return { label: `[${role}]`, text: pieces.join(' ') };
  });
}
