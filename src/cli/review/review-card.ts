import type { ResponseRecord } from '../../stages/ports/response-record.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import type { RatingRow } from './ratings-file.ts';

export interface Card {
  readonly response: ResponseRecord;
  /** What the rater said of it before. */
  readonly before: RatingRow | undefined;
  readonly place: string;
}

/** One answer as a person is to judge it. */
export function reviewCard({ response, before, place }: Card, terminal: Terminal): string {
  const { prompt, expected, response: given = '' } = response;
  const rated = before && [before.score, before.note].filter((text) => text !== '').join(' · ');
  const lines = [
    { label: 'instruction', text: safeText(prompt.trim()) },
    ...(expected.trim() === '' ? [] : [{ label: 'expected', text: safeText(expected.trim()) }]),
    { label: 'given', text: safeText(given) || '(nothing)' },
    ...(rated ? [{ label: 'your rating', text: safeText(rated) }] : []),
  ];
  return `\n${terminal.colors.bold(place)}\n${labelledText(lines, { terminal })}`;
}
