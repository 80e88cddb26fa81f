import { UserError } from '../../user-error.ts';
import type { FormattedRecord } from '../formatted-record.ts';
import type { TokenizedRecord, TokenSegment } from '../tokenized-record.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * A record's text as token ids. The whole text is encoded once, so that the ids are those that a model meets; a
 * segment ends where the encoding of the text up to there ends. Where a token spans the boundary (the ids of the
 * beginning are no prefix of the whole's), the segment ends before that token, which belongs to the next one.
 */
export function tokenizeRecord(record: FormattedRecord, tokenizer: Tokenizer): TokenizedRecord {
  const tokens = tokenizer.encode(record.segments.map(({ text }) => text).join(''));
  if (tokens.length === 0) throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
  const last = record.segments.length - 1;
  let text = '';
  let start = 0;
  const segments = record.segments.map((segment, index): TokenSegment => {
    text += segment.text;
    const end = index === last ? tokens.length : commonPrefixLength(tokenizer.encode(text), tokens);
    start = Math.max(start, end);
    return { role: segment.role, end: start };
  });
  return { id: record.id, tokens, segments };
}

function commonPrefixLength(beginning: Int32Array, whole: Int32Array): number {
  const difference = beginning.findIndex((token, index) => token !== whole[index]);
  return difference === -1 ? beginning.length : difference;
}
