import { isObject, type Json } from '../../core/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { DataRecord, ResponseRecord, TokenizedRecord, Tokenizer } from '../../text/index.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { type LabelledLine, labelledText } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import { type Shown, type ShowSource, tokenText, windowNote, windowOf } from './shown.ts';

const RECORDS_LIMIT = 5;

/** Records, one field a line; a formatted record's segments as the text that the model reads. */
export async function showRecords({ path, offset, limit = RECORDS_LIMIT }: ShowSource): Promise<Shown> {
  const window = await windowOf(portCodecs.records.read(path), { offset, limit });
  return {
    json: window,
    text: (terminal) =>
      [
        ...window.items.map((record) => `${labelledText(recordLines(record), { terminal, indent: '' })}\n`),
        windowNote(window, 'records'),
      ]
        .join('\n')
        .trimEnd(),
  };
}

function recordLines(record: DataRecord): readonly LabelledLine[] {
  return Object.entries(record).flatMap(([name, value]) =>
    name === 'segments' && Array.isArray(value)
      ? value.map(segmentLine)
      : [{ label: name, text: textOf(value) }],
  );
}

/** A segment holds `role` and `text`; another thing that a row of the user's calls `segments` is shown as JSON. */
function segmentLine(segment: Json): LabelledLine {
  const isSegment = isObject(segment) && 'role' in segment && 'text' in segment;
  return isSegment
    ? { label: `[${textOf(segment.role)}]`, text: textOf(segment.text) }
    : { label: 'segments', text: textOf(segment) };
}

const textOf = (value: Json | undefined): string =>
  safeText(typeof value === 'string' ? value.trimEnd() : (JSON.stringify(value) ?? ''));

const RESPONSES_LIMIT = 5;

/** What a model was asked, what was expected and what it gave. */
export async function showResponses({ path, offset, limit = RESPONSES_LIMIT }: ShowSource): Promise<Shown> {
  const window = await windowOf(portCodecs.responses.read(path), { offset, limit });
  return {
    json: window,
    text: (terminal) =>
      [
        ...window.items.map(
          (response) => `${labelledText(responseLines(response), { terminal, indent: '' })}\n`,
        ),
        windowNote(window, 'responses'),
      ]
        .join('\n')
        .trimEnd(),
  };
}

function responseLines(record: ResponseRecord): readonly LabelledLine[] {
  const { id, prompt, expected, response, finish_reason, log_likelihood, scored_tokens } = record;
  return [
    { label: 'id', text: safeText(id) },
    { label: 'prompt', text: safeText(prompt.trim()) },
    { label: 'expected', text: safeText(expected.trim()) },
    ...(response === undefined ? [] : [{ label: 'given', text: safeText(response) || '(nothing)' }]),
    ...(finish_reason === 'length' ? [{ label: 'ended', text: 'at the length limit' }] : []),
    ...(log_likelihood === undefined
      ? []
      : [
          {
            label: 'log-likelihood',
            text: `${formatFigure(log_likelihood)} over ${scored_tokens ?? '?'} tokens`,
          },
        ]),
  ];
}

const TOKENS_LIMIT = 3;

/** Each record's token ids beside the pieces of text that they stand for, segment by segment. */
export async function showTokens(source: ShowSource): Promise<Shown> {
  const { path, offset, limit = TOKENS_LIMIT } = source;
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
