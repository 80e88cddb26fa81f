import { isObject, type Json, UserError } from '../../core/index.ts';
import type { Segment, SegmentRole } from '../records.ts';
import type { ChatTemplate } from './chat-template.ts';
import type { ChatMessage, Conversation } from './conversation.ts';
import { type Marks, type RenderedTurns, type Span, spansByMarks, spansByText } from './trained-spans.ts';

interface ChatFormat {
  readonly template: ChatTemplate;
  /** The names of the tokenizer's special tokens. */
  readonly specialTokens: readonly string[];
  /** The roles whose turns are learned. */
  readonly trainedRoles: readonly string[];
  /** All turns of those roles, or the last of them. */
  readonly trainedTurns: 'all' | 'last';
}

/**
 * A conversation as the template writes it. `response` and `end` are learned, what follows the last answer is the
 * `tail`, and the rest is `prompt`. If the last turn is not an answer, the prompt includes the beginning of one. Text
 * in a turn stays text even if it looks like a special token; the template's special tokens are separate segments.
 */
export function chatSegments({ messages, tools }: Conversation, format: ChatFormat): readonly Segment[] {
  const { template } = format;
  const specialTokens = format.specialTokens.toSorted((a, b) => b.length - a.length);
  const { mask, unmask, spare } = maskSpecialTokens(specialTokens, [
    template.source,
    JSON.stringify([messages, tools]),
  ]);
  const turns = messages.map((message) => maskMessage(message, mask));
  const maskedTools = tools === undefined ? undefined : mask(tools);
  const trained = trainedIndexes(messages, format);
  const textOnly = trained.filter((index) => messages[index] && isTextOnly(messages[index]));
  const rendered: RenderedTurns = {
    render: (count, { prompt, marks, textMarks }) =>
      template.render({
        messages: turns
          .slice(0, count)
          .map((turn, index) =>
            textMarks && textOnly.includes(index)
              ? { ...turn, content: markText(turn.content, textMarks) }
              : turn,
          ),
        tools: maskedTools,
        addGenerationPrompt: prompt,
        marks,
      }),
    roles: messages.map(({ role }) => role),
    trained,
    textOnly,
    marks: spare,
  };
  const { text, spans } = template.marksGeneration ? spansByMarks(rendered) : spansByText(rendered);
  const answered = messages.at(-1)?.role === 'assistant' && trained.at(-1) === messages.length - 1;
  const segments = segmentsIn({ text, spans, answered, special: anyOf(specialTokens) });
  return segments.map((segment) => ({ ...segment, text: unmask(segment.text) }));
}

function maskMessage(message: ChatMessage, mask: SpecialTokenMask['mask']): ChatMessage {
  const { role, content, ...others } = message;
  const masked = Object.entries(others).map(([name, value]) => [name, mask(value)] as const);
  return { ...Object.fromEntries(masked), role, content: String(mask(content)) };
}

function trainedIndexes(messages: readonly ChatMessage[], format: ChatFormat): readonly number[] {
  const indexes = messages.flatMap(({ role }, index) => (format.trainedRoles.includes(role) ? [index] : []));
  return format.trainedTurns === 'last' ? indexes.slice(-1) : indexes;
}

const isTextOnly = ({ content, tool_calls }: ChatMessage): boolean =>
  content.trim() !== '' && tool_calls === undefined;

/** Inside the white space around the text, as templates trim that. */
function markText(content: string, [begin, end]: Marks): string {
  const words = content.trim();
  const start = content.indexOf(words);
  return content.slice(0, start) + begin + words + end + content.slice(start + words.length);
}

/** Matches any of the texts. They are sorted longest first, so that the longest match wins. */
const anyOf = (texts: readonly string[]): RegExp | undefined =>
  texts.length === 0
    ? undefined
    : new RegExp(texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');

interface RenderedText {
  readonly text: string;
  readonly spans: readonly Span[];
  /** Whether the last turn is a learned answer. */
  readonly answered: boolean;
  readonly special: RegExp | undefined;
}

function segmentsIn({ text, spans, answered, special }: RenderedText): readonly Segment[] {
  const segments: Segment[] = [];
  let done = 0;
  const addUpTo = (end: number, role: SegmentRole) => {
    segments.push(...pieces(role, text.slice(done, end), special));
    done = end;
  };
  for (const span of spans) {
    const close = closing(text, span, special);
    addUpTo(span.start, 'prompt');
    addUpTo(close.start, 'response');
    addUpTo(close.end, 'end');
  }
  addUpTo(text.length, answered ? 'tail' : 'prompt');
  if (segments.length > 0) return segments;
  throw new UserError({ code: 'no-text', message: 'the template writes no text for it' });
}

/**
 * The special token that closes a turn. If the template marks the turn, it is the last one in it, with all that comes
 * after; otherwise the one after its text. White space may come before either. Empty if there is none.
 */
function closing(
  text: string,
  { start: from, end, markedEnd }: Span,
  special: RegExp | undefined,
): { start: number; end: number } {
  const inTurn = text.slice(from, markedEnd);
  const matches = special === undefined ? [] : [...inTurn.matchAll(special)];
  const match = markedEnd === undefined ? matches.find(({ index }) => from + index >= end) : matches.at(-1);
  if (match === undefined) return { start: end, end };
  const start = from + match.index;
  const after = start + match[0].length;
  if (markedEnd === undefined)
    return text.slice(end, start).trim() === '' ? { start, end: after } : { start: end, end };
  return text.slice(after, markedEnd).trim() === '' ? { start, end: markedEnd } : { start: end, end };
}

function* pieces(role: SegmentRole, text: string, special: RegExp | undefined): Generator<Segment> {
  let done = 0;
  for (const match of special === undefined ? [] : text.matchAll(special)) {
    if (match.index > done) yield { role, text: text.slice(done, match.index) };
    yield { role, text: match[0], special: true };
    done = match.index + match[0].length;
  }
  if (done < text.length) yield { role, text: text.slice(done) };
}

/** Private-use characters. A conversation borrows some that do not occur in it. */
const firstPrivate = 0xe000;
const lastPrivate = 0xf8ff;

/** Replaces one character in each text that looks like a special token, and puts it back. */
interface SpecialTokenMask {
  readonly mask: (value: Json) => Json;
  readonly unmask: (text: string) => string;
  /** Characters that do not occur in the conversation or its template. */
  readonly spare: readonly [string, string];
}

/** Masks with characters that occur in none of `texts`. */
function maskSpecialTokens(specialTokens: readonly string[], texts: readonly string[]): SpecialTokenMask {
  const free = freeCharacters(texts.join('\n'));
  const take = (): string => {
    const { value } = free.next();
    if (value === undefined) throw new Error('One conversation contains every private-use character');
    return value;
  };
  const spare = [take(), take()] as const;
  // Special tokens begin with few different characters: `<` or `[`.
  const masks = new Map([...new Set(specialTokens.map((token) => token.charAt(0)))].map((a) => [a, take()]));
  const originals = new Map([...masks].map(([original, mask]) => [mask, original]));
  const maskText = (text: string): string => {
    let masked = text;
    for (const token of specialTokens)
      masked = masked.replaceAll(token, () => (masks.get(token.charAt(0)) ?? '') + token.slice(1));
    return masked;
  };
  return {
    spare,
    mask: (value) => mapTexts(value, maskText),
    unmask: (text) => [...text].map((character) => originals.get(character) ?? character).join(''),
  };
}

function* freeCharacters(text: string): Generator<string> {
  for (let code = firstPrivate; code <= lastPrivate; code++) {
    const character = String.fromCharCode(code);
    if (!text.includes(character)) yield character;
  }
}

function mapTexts(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, change));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [change(name), mapTexts(item, change)]),
  );
}
