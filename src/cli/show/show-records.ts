import { isObject, type Json, type JsonObject, jsonText } from '../../core/index.ts';
import { portCodecs } from '../../stages/index.ts';
import {
  type DataRecord,
  namedTexts,
  type ResponseRecord,
  type TokenizedRecord,
  type Tokenizer,
} from '../../text/index.ts';
import { formatFigure } from '../terminal/format-number.ts';
import { type LabeledLine, labeledText } from '../terminal/layout.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { type Shown, type ShowSource, tokenText, type Window, windowNote, windowOf } from './shown.ts';

const RECORDS_LIMIT = 5;

/** Records with a line for each field; segments of a formatted record as the text that the model reads. */
export async function showRecords({ path, offset, limit = RECORDS_LIMIT }: ShowSource): Promise<Shown> {
  const window = await windowOf(portCodecs.records.read(path), { offset, limit });
  return {
    json: window,
    text: (terminal) => windowText(window, { terminal, noun: 'records', lines: recordLines }),
  };
}

/** A block of labelled lines for each item of a window, and the window's note. */
function windowText<Item>(
  window: Window<Item>,
  {
    terminal,
    noun,
    lines,
  }: {
    readonly terminal: Terminal;
    readonly noun: string;
    readonly lines: (item: Item, terminal: Terminal) => readonly LabeledLine[];
  },
): string {
  const blocks = window.items.map(
    (item) => `${labeledText(lines(item, terminal), { terminal, indent: '' })}\n`,
  );
  return [...blocks, windowNote(window, noun)].join('\n').trimEnd();
}

function recordLines(record: DataRecord, terminal: Terminal): readonly LabeledLine[] {
  return Object.entries(record).flatMap(([name, value]) => {
    if (name === 'segments' && Array.isArray(value))
      return value.map((segment) => segmentLine(segment, terminal));
    const rejected = name === 'preference' && isObject(value) ? value.rejected : undefined;
    return Array.isArray(rejected)
      ? [
          {
            label: '[rejected]',
            text: rejected
              .filter(isAnswer)
              .map(({ text }) => textOf(text))
              .join(''),
          },
        ]
      : [{ label: name, text: textOf(value) }];
  });
}

/** What a rejected text has besides the prompt, which it shares. */
const isAnswer = (segment: Json): segment is JsonObject => isObject(segment) && segment.role === 'response';

/** The roles that `train_on: response` learns. */
const LEARNED: readonly Json[] = ['response', 'end_text', 'end'];

/**
 * A segment holds `role` and `text`, and has the colors of a batch: what is answered, and what is only read. Anything else
 * that a user's row calls `segments` is shown as JSON.
 */
function segmentLine(segment: Json, { colors }: Terminal): LabeledLine {
  const isSegment = isObject(segment) && 'role' in segment && 'text' in segment;
  if (!isSegment) return { label: 'segments', text: textOf(segment) };
  const paint = LEARNED.includes(segment.role ?? null) ? colors.green : colors.dim;
  return { label: `[${textOf(segment.role)}]`, text: textOf(segment.text).split('\n').map(paint).join('\n') };
}

const textOf = (value: Json | undefined): string =>
  safeText(typeof value === 'string' ? value.trimEnd() : (jsonText(value) ?? ''));

const RESPONSES_LIMIT = 5;

/** A model's prompts, the expected answers and its own. */
export async function showResponses({ path, offset, limit = RESPONSES_LIMIT }: ShowSource): Promise<Shown> {
  const window = await windowOf(portCodecs.responses.read(path), { offset, limit });
  return {
    json: window,
    text: (terminal) => windowText(window, { terminal, noun: 'responses', lines: responseLines }),
    csv: window.items.map(({ id, prompt, expected, response, finish_reason, log_likelihood }) => ({
      ...{ id, prompt, expected },
      ...(response === undefined ? {} : { response }),
      ...(finish_reason === undefined ? {} : { finish_reason }),
      ...(log_likelihood === undefined ? {} : { log_likelihood }),
    })),
  };
}

function responseLines(record: ResponseRecord): readonly LabeledLine[] {
  const { id, prompt, expected, response, finish_reason, log_likelihood, scored_tokens } = record;
  return [
    { label: 'id', text: safeText(id) },
    { label: 'prompt', text: safeText(prompt.trim()) },
    { label: 'expected', text: safeText(expected.trim()) },
    ...(response === undefined ? [] : [{ label: 'given', text: safeText(response) || '(nothing)' }]),
    ...(finish_reason === 'length' ? [{ label: 'ended', text: 'at the length limit' }] : []),
    ...(finish_reason === 'content_filter' || finish_reason === 'refusal'
      ? [{ label: 'ended', text: `withheld by the endpoint (${finish_reason})` }]
      : []),
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

/** Each record's token ids with their texts, segment by segment. */
export async function showTokens(source: ShowSource): Promise<Shown> {
  const { path, offset, limit = TOKENS_LIMIT } = source;
  const tokens = await portCodecs.tokens.read(path).read();
  const { vocabulary } = tokens;
  const window = await windowOf(namedTexts(tokens), { offset, limit });
  const tokenizer = await source.tokenizer(vocabulary);
  return {
    json: {
      vocabulary,
      ...window,
      items: window.items.map((record) => ({ ...record, tokens: [...record.tokens] })),
    },
    text: (terminal) =>
      windowText(window, {
        terminal,
        noun: 'records',
        lines: (record) => [{ label: 'id', text: safeLine(record.id) }, ...segmentLines(record, tokenizer)],
      }),
  };
}

function segmentLines({ tokens, segments }: TokenizedRecord, tokenizer: Tokenizer | undefined) {
  return segments.map(({ role, end }, index) => {
    const begin = segments[index - 1]?.end ?? 0;
    const pieces = [...tokens.subarray(begin, end)].map((token) => tokenText(token, tokenizer));
    return { label: `[${role}]`, text: pieces.join(' ') };
  });
}
