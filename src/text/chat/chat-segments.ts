import { UserError } from '../../core/index.ts';
import type { Segment, SegmentRole, TextPiece } from '../records.ts';
import { answerEnd, closingText } from './answer-end.ts';
import { type ChatMessage, type Conversation, reasoningFields } from './chat-message.ts';
import type { ChatTemplate } from './chat-template.ts';
import { type RenderedChat, renderChat } from './rendered-chat.ts';
import { attempt } from './shown.ts';
import { type Span, spansByMarks, spansByText, type Wanted } from './trained-spans.ts';
import { thoughtsIn, type Unshown, unshownIn } from './unshown.ts';

export interface ChatFormat {
  /** The template for conversations with or without tools. */
  readonly templateFor: (hasTools: boolean) => ChatTemplate;
  /** The names of the tokenizer's special tokens. */
  readonly specialTokens: readonly string[];
  /** The roles whose turns are learned. */
  readonly trainedRoles: readonly string[];
  /** All turns of those roles, or the last of them. */
  /** By their numbers among the turns of these roles: 1 is the first, -1 the last. */
  readonly trainedTurns: 'all' | 'last' | readonly number[];
  /** Whether the reasoning in a turn is learned with it. */
  readonly trainReasoning: boolean;
}

/** A conversation, and for each turn whether the data says that it is learned. */
interface LearnedConversation extends Conversation {
  readonly learned?: readonly (boolean | undefined)[];
}

/** A conversation in segments. */
export interface WrittenChat {
  readonly segments: readonly Segment[];
  /** What a model is given to write the last answer, where that is not what is before the answer. */
  readonly prompt?: readonly TextPiece[];
  /** What the turns and tools say and the text does not show. */
  readonly unshown: readonly Unshown[];
}

/**
 * Writes conversations with a template. `response` and `end` are learned, `masked` is what the data or the configuration
 * says is not, what follows the last answer is the `tail`, and the rest is `prompt`. If the last turn is not an answer,
 * the prompt includes the beginning of one. Text in a turn stays text even if it looks like a special token; the
 * template's special tokens are separate segments. Throws a UserError for a learned turn of which the template writes
 * nothing.
 */
export function chatWriter(format: ChatFormat): (conversation: LearnedConversation) => WrittenChat {
  const specialTokens = format.specialTokens.toSorted((a, b) => b.length - a.length);
  const special = anyOf(specialTokens);
  const closings = new Map<ChatTemplate, string>();
  return (conversation) => {
    const template = format.templateFor(conversation.tools !== undefined);
    const closing = closings.get(template) ?? closingText(template, special);
    closings.set(template, closing);
    const rendered = renderChat(conversation, { template, specialTokens });
    const { turns, chat, unmask } = rendered;
    const chosen = chosenTurns(conversation, format);
    const unshown = unshownIn({ ...rendered, text: chat.text, learned: chosen.trained });
    const spans = spansOf(rendered, { chosen, special, closing, marks: template.marksGeneration });
    const isAnswered =
      turns.at(-1)?.role === 'assistant' && [...chosen.trained, ...chosen.masked].includes(turns.length - 1);
    const segments = segmentsIn(chat.text, {
      spans: spans.map((span) => ({
        ...span,
        isMasked: span.turn !== undefined && chosen.masked.includes(span.turn),
        thoughts: format.trainReasoning ? [] : thoughtsOf(turns[span.turn ?? -1]),
      })),
      isAnswered,
      special,
      closing,
    });
    const prompt = isAnswered ? ownPrompt(rendered, spans) : undefined;
    const restored = <Piece extends TextPiece>(piece: Piece): Piece => ({
      ...piece,
      text: unmask(piece.text),
    });
    return {
      segments: segments.map(restored),
      ...(prompt !== undefined && { prompt: [...piecesOf(prompt, special)].map(restored) }),
      unshown: [...unshown, ...unmarkedAnswers(chosen.trained, spans)],
    };
  };
}

interface ChosenTurns {
  readonly trained: readonly number[];
  /** Turns that the data says are not learned. */
  readonly masked: readonly number[];
}

/** What the data says of a turn goes before its role. */
function chosenTurns({ messages, learned = [] }: LearnedConversation, format: ChatFormat): ChosenTurns {
  const isTrained = ({ role }: ChatMessage, index: number) =>
    learned[index] ?? format.trainedRoles.includes(role);
  const indexes = messages.flatMap((message, index) => (isTrained(message, index) ? [index] : []));
  return {
    trained: turnsWith(format.trainedTurns, indexes),
    masked: messages.flatMap((_, index) => (learned[index] === false ? [index] : [])),
  };
}

function turnsWith(chosen: ChatFormat['trainedTurns'], indexes: readonly number[]): readonly number[] {
  if (chosen === 'all') return indexes;
  if (chosen === 'last') return indexes.slice(-1);
  const places = new Set(chosen.map((number) => (number > 0 ? number - 1 : indexes.length + number)));
  return indexes.filter((_, place) => places.has(place));
}

function spansOf(
  rendered: RenderedChat,
  {
    chosen: { trained, masked },
    special,
    closing,
    marks,
  }: Omit<Wanted, 'wanted'> & { readonly chosen: ChosenTurns; readonly marks: boolean },
): readonly Span[] {
  const wanted = [...trained, ...masked].toSorted((a, b) => a - b);
  if (!marks) return spansByText(rendered, { wanted, special, closing });
  // The marks are around answers; a masked turn of another role is found by its text.
  const isOther = (turn: number) => masked.includes(turn) && rendered.turns[turn]?.role !== 'assistant';
  const answers = spansByMarks(
    rendered,
    wanted.filter((turn) => !isOther(turn)),
  );
  const others = spansByText(rendered, { wanted: wanted.filter(isOther), special, closing });
  return [...answers, ...others].toSorted((a, b) => a.start - b.start);
}

/** An answer in which a template's `{% generation %}` marks nothing. */
const unmarkedAnswers = (trained: readonly number[], spans: readonly Span[]): readonly Unshown[] =>
  trained
    .filter((turn) => spans.every((span) => span.turn !== turn || span.end === span.start))
    .map(() => ({
      name: 'content',
      problem: 'the template marks nothing of an answer with {% generation %}',
    }));

/** The reasoning of a turn, in its fields or within its content. */
function thoughtsOf(message: ChatMessage | undefined): readonly string[] {
  if (message === undefined) return [];
  const fields = reasoningFields.flatMap((name) => message[name] ?? []);
  const texts = fields.flatMap((text) =>
    typeof text === 'string' && text.trim() !== '' ? [text.trim()] : [],
  );
  const within = typeof message.content === 'string' ? thoughtsIn(message.content) : [];
  return [...new Set([...texts, ...within])];
}

/** The prompt for the last answer as the template writes it, unless the answer comes right after it. */
function ownPrompt({ turns, chat, write }: RenderedChat, spans: readonly Span[]): string | undefined {
  const answer = spans.find(({ turn }) => turn === turns.length - 1);
  const prompt = attempt(() => write(turns.slice(0, -1), true));
  return answer === undefined || prompt === chat.text.slice(0, answer.start) ? undefined : prompt;
}

/** Matches any of the texts. They are sorted longest first, so that the longest match wins. */
const anyOf = (texts: readonly string[]): RegExp | undefined =>
  texts.length === 0
    ? undefined
    : new RegExp(texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'), 'g');

interface LearnedSpan extends Span {
  readonly isMasked: boolean;
  /** Texts in it that are not learned. */
  readonly thoughts: readonly string[];
}

interface Spans {
  readonly spans: readonly LearnedSpan[];
  /** Whether the last turn is an answer. */
  readonly isAnswered: boolean;
  readonly special: RegExp | undefined;
  /** What the template puts after an answer where that is no special token. */
  readonly closing: string;
}

function segmentsIn(text: string, { spans, isAnswered, special, closing }: Spans): readonly Segment[] {
  const segments: Segment[] = [];
  let done = 0;
  const addUpTo = (end: number, role: SegmentRole) => {
    for (const piece of piecesOf(text.slice(done, end), special)) segments.push({ role, ...piece });
    done = Math.max(done, end);
  };
  for (const span of spans) {
    const close = answerEnd(text, span, { special, closing });
    addUpTo(span.start, 'prompt');
    for (const thought of thoughtStretches(text.slice(0, close.start), span)) {
      addUpTo(thought.start, 'response');
      addUpTo(thought.end, 'masked');
    }
    addUpTo(close.start, span.isMasked ? 'masked' : 'response');
    addUpTo(close.end, span.isMasked ? 'masked' : close.isSpecial ? 'end' : 'end_text');
  }
  // After an answer without an end comes the end of the text, in place of a last line feed.
  const isOpen = isAnswered && segments.at(-1)?.role === 'response' && text.slice(done).trim() === '';
  if (!isOpen) addUpTo(text.length, isAnswered ? 'tail' : 'prompt');
  if (segments.length > 0) return segments;
  throw new UserError({ code: 'no-text', message: 'the template writes no text for it' });
}

/** Where the reasoning of a span is, with the tags and white space around it, in order. */
function thoughtStretches(
  text: string,
  { start: from, thoughts, isMasked }: LearnedSpan,
): readonly { readonly start: number; readonly end: number }[] {
  if (isMasked) return [];
  const stretches = thoughts.flatMap((thought) => {
    const index = text.indexOf(thought, from);
    if (index < 0) return [];
    const opening = /(?:[<[]\w+[>\]]\s*)?$/.exec(text.slice(from, index))?.[0].length ?? 0;
    const rest = text.slice(index + thought.length);
    const close = /^\s*[<[]\/\w+[>\]]\s*/.exec(rest)?.[0].length ?? 0;
    return [{ start: index - opening, end: index + thought.length + close }];
  });
  return stretches.toSorted((a, b) => a.start - b.start);
}

function* piecesOf(text: string, special: RegExp | undefined): Generator<TextPiece> {
  let done = 0;
  for (const match of special === undefined ? [] : text.matchAll(special)) {
    if (match.index > done) yield { text: text.slice(done, match.index) };
    yield { text: match[0], special: true };
    done = match.index + match[0].length;
  }
  if (done < text.length) yield { text: text.slice(done) };
}
