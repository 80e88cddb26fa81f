import type { Json } from '../../json.ts';
import { portCodecs } from '../../stages/ports/port-codecs.ts';
import type { DataRecord } from '../../text/record.ts';
import { type LabelledLine, labelledText } from '../terminal/labelled-text.ts';
import { safeText } from '../terminal/safe-text.ts';
import type { Shown, ShowSource } from './shown.ts';
import { windowNote, windowOf } from './window.ts';

const DEFAULT_LIMIT = 5;

/** Records, one field a line; a formatted record's segments as the text that the model reads. */
export async function showRecords({ path, offset, limit = DEFAULT_LIMIT }: ShowSource): Promise<Shown> {
  const window = await windowOf(portCodecs.records.read(path), { offset, limit });
  return {
    json: window,
    text: (terminal) =>
      [
        ...window.items.map((record) => `${labelledText(linesOf(record), { terminal, indent: '' })}\n`),
        windowNote(window, 'records'),
      ]
        .join('\n')
        .trimEnd(),
  };
}

function linesOf(record: DataRecord): readonly LabelledLine[] {
  return Object.entries(record).flatMap(([name, value]) =>
    name === 'segments' && Array.isArray(value)
      ? value.map(segmentLine)
      : [{ label: name, text: textOf(value) }],
  );
}

/** A segment holds `role` and `text`; another thing that a row of the user's calls `segments` is shown as JSON. */
function segmentLine(segment: Json): LabelledLine {
  const isSegment = typeof segment === 'object' && segment !== null && 'role' in segment && 'text' in segment;
  return isSegment
    ? { label: `[${textOf(segment.role)}]`, text: textOf(segment.text) }
    : { label: 'segments', text: textOf(segment) };
}

const textOf = (value: Json | undefined): string =>
  safeText(typeof value === 'string' ? value.trimEnd() : (JSON.stringify(value) ?? ''));
