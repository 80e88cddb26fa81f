import { UserError } from '../../user-error.ts';
import type { FormattedRecord } from '../formatted-record.ts';
import type { TokenizedRecord, TokenSegment } from '../tokenized-record.ts';
import type { Tokenizer } from './tokenizer.ts';

/**
 * A record's text as token ids. The whole text is encoded once, so that the ids are those that a model meets; a
 * segment ends where the encoding of the text up to there ends. Where a token spans the boundary (the ids of the
 * beginning are no prefix of the whole's), the segment ends before that token, which belongs to the next one.
 * Segments of one role that stand side by side are one.
 */
export function tokenizeRecord({ id, segments }: FormattedRecord, tokenizer: Tokenizer): TokenizedRecord {
  const tokens = tokenizer.encode(segments);
  if (tokens.length === 0) throw new UserError({ code: 'no-tokens', message: 'its text has no tokens' });
  const last = segments.length - 1;
  let start = 0;
  const tiles = segments.flatMap(({ role }, index): readonly TokenSegment[] => {
    if (role === segments[index + 1]?.role) return [];
    const beginning = segments.slice(0, index + 1);
    const end = index === last ? tokens.length : commonPrefixLength(tokenizer.encode(beginning), tokens);
    start = Math.max(start, end);
    return [{ role, end: start }];
  });
  return { id, tokens, segments: tiles };
}

function commonPrefixLength(beginning: Int32Array, whole: Int32Array): number {
  const difference = beginning.findIndex((token, index) => token !== whole[index]);
  return difference === -1 ? beginning.length : difference;
}
