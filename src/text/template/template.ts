import type { JsonObject } from '../../core/index.ts';
import type { Segment } from '../records.ts';

/**
 * Writes a row as segments, none of them empty. Throws a UserError that names the field if the row lacks what the
 * template needs.
 */
export type Template = (row: JsonObject) => readonly Segment[];

/** The segments in order, without those that have no text. */
export function segmentsOf(
  texts: Readonly<Partial<Record<'prompt' | 'header' | 'response', string>>>,
): readonly Segment[] {
  const { prompt = '', header = '', response = '' } = texts;
  const segments: readonly Segment[] = [
    { role: 'prompt', text: prompt },
    { role: 'header', text: header },
    { role: 'response', text: response },
  ];
  return segments.filter(({ text }) => text !== '');
}
