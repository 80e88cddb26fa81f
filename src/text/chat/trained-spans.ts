import { UserError } from '../../core/index.ts';
import type { ChatMessage } from './chat-message.ts';
import type { RenderedChat } from './rendered-chat.ts';
import { attempt } from './shown.ts';

/** What a turn of the assistant wrote, as positions in the rendered conversation. */
export interface Span {
  readonly turn: number | undefined;
  readonly start: number;
  /** Where its text ends. */
  readonly end: number;
  /** Where everything that belongs to it ends, if known. */
  readonly markedEnd?: number;
}

export interface Wanted {
  /** Indexes of the turns to find, in order. */
  readonly wanted: readonly number[];
  /** Matches the special tokens in a text that the template wrote. */
  readonly special: RegExp | undefined;
}

/**
 * Turns by what the template writes without them. A turn begins where the prompt for it ends, which is a beginning of
 * the conversation. Where it is none, as the template writes the turns before differently or its prompt begins the
 * answer with more than an answer has, the turn begins after as much of the prompt as is there. A turn ends with its
 * text; one that calls tools where the conversation up to that turn ends.
 */
export function spansByText(rendered: RenderedChat, { wanted, special }: Wanted): readonly Span[] {
  return wanted.map((turn) => {
    const content = contentOf(rendered, turn);
    const start = startOf(turn, rendered, special);
    const callsTools = rendered.turns[turn]?.tool_calls !== undefined;
    if (content !== undefined && !callsTools && content.end >= start)
      return { turn, start, end: content.end };
    const end = endOf(turn, rendered, special);
    if (end < start) throw unfaithful(turn);
    return { turn, start, end, markedEnd: end };
  });
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where the template writes the content of a turn, or as much of its end as it writes, if that is known exactly. */
function contentOf({ shown, chat }: RenderedChat, turn: number): Stretch | undefined {
  const said = shown.isExact
    ? shown.texts.find((text) => text.turn === turn && text.name === 'content')
    : undefined;
  if (said?.end === undefined) return undefined;
  let length = 0;
  while (length < said.text.length && chat.text[said.end - 1 - length] === said.text.at(-1 - length))
    length += 1;
  return { start: said.end - length, end: said.end };
}

/** Where the template writes the first of what a turn says, if that is known exactly. */
function beginOf(rendered: RenderedChat, turn: number): number | undefined {
  if (!rendered.shown.isExact) return undefined;
  const starts = rendered.shown.texts.flatMap(({ turn: of, name, text, end }) =>
    of === turn && end !== undefined && name !== 'content' ? [end - text.length] : [],
  );
  const first = Math.min(...starts, contentOf(rendered, turn)?.start ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(first) ? first : undefined;
}

function startOf(turn: number, rendered: RenderedChat, special: RegExp | undefined): number {
  const { turns, write, chat } = rendered;
  const before = turns.slice(0, turn);
  const isAnswer = turns[turn]?.role === 'assistant';
  const prompt = turn === 0 && !isAnswer ? '' : attempt(() => write(before, isAnswer));
  if (prompt !== undefined && chat.text.startsWith(prompt)) return prompt.length;
  const begin = beginOf(rendered, turn);
  if (begin === undefined) throw unfaithful(turn);
  return prompt === undefined ? begin : openingEnd({ prompt, before, begin }, rendered, special);
}

interface Opening {
  readonly prompt: string;
  readonly before: readonly ChatMessage[];
  /** Where what the turn says begins. */
  readonly begin: number;
}

/** The end of the assistant's header before what a turn says: of as much as is there of what a prompt adds to the turns. */
function openingEnd(
  { prompt, before, begin }: Opening,
  rendered: RenderedChat,
  special: RegExp | undefined,
): number {
  const { write, chat } = rendered;
  const bare = attempt(() => write(before, false));
  if (bare === undefined) return begin;
  const opening = prompt.slice(commonLength(prompt, bare));
  const from = before.reduce((last, _, index) => Math.max(last, contentOf(rendered, index)?.end ?? 0), 0);
  const region = chat.text.slice(Math.min(from, begin), begin);
  const [first] = matchesOf(opening, special);
  const least = Math.max(1, first === undefined ? 1 : first.index + first[0].length);
  for (let length = opening.length; length >= least; length -= 1) {
    const beginning = opening.slice(0, length);
    const index = beginning.trim() === '' ? -1 : region.lastIndexOf(beginning);
    if (index >= 0) return begin - region.length + index + length;
  }
  return begin;
}

/** Where the conversation up to and including a turn ends, without the white space after it. */
function endOf(turn: number, { turns, write, chat }: RenderedChat, special: RegExp | undefined): number {
  if (turn === turns.length - 1) return chat.text.trimEnd().length;
  const upTo = attempt(() => write(turns.slice(0, turn + 1), false));
  if (upTo === undefined) throw unfaithful(turn);
  const common = commonLength(upTo, chat.text);
  // Two different special tokens may begin with the same characters.
  const cut = [upTo, chat.text]
    .flatMap((text) => matchesOf(text, special))
    .find((match) => match.index < common && match.index + match[0].length > common);
  return chat.text.slice(0, cut?.index ?? common).trimEnd().length;
}

const matchesOf = (text: string, special: RegExp | undefined): readonly RegExpExecArray[] =>
  special === undefined ? [] : [...text.matchAll(special)];

function commonLength(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length += 1;
  return length;
}

/** The assistant's turns by the template's `{% generation %}`. A turn may have several spans, or none. */
export function spansByMarks(
  { turns, chat, shown }: RenderedChat,
  wanted: readonly number[],
): readonly Span[] {
  const other = turns[wanted.find((turn) => turns[turn]?.role !== 'assistant') ?? -1];
  if (other !== undefined)
    throw new UserError({
      code: 'unmarked-role',
      message: `the chat template marks what the assistant writes, but not the turns of \`${other.role}\`, which are to be learned`,
    });
  const assistants = turns.flatMap(({ role }, index) => (role === 'assistant' ? [index] : []));
  if (chat.generated.length === 0 && wanted.length > 0)
    throw new UserError({
      code: 'unfaithful-template',
      message: `the chat template marks no answer with {% generation %} where there are ${assistants.length}`,
    });
  const spans = chat.generated.map(({ start, end }) => ({ start, end, markedEnd: end }));
  if (spans.length === assistants.length)
    return spans
      .map((span, index) => ({ ...span, turn: assistants[index] }))
      .filter(({ turn }) => turn !== undefined && wanted.includes(turn));
  const ownerOf = ({ start, end }: { readonly start: number; readonly end: number }) =>
    shown.texts.find(
      (said) =>
        said.turn !== undefined &&
        assistants.includes(said.turn) &&
        said.end !== undefined &&
        said.end > start &&
        said.end <= end,
    )?.turn;
  let owner: number | undefined;
  const owned = spans.map((span) => {
    // What has no text of a turn, such as a final end-of-sequence token, belongs to the turn before.
    owner = ownerOf(span) ?? owner;
    return { ...span, turn: owner };
  });
  // All of them are learned, so it does not matter whose they are.
  if (wanted.length === assistants.length) return owned;
  return owned.filter(({ turn }) => turn !== undefined && wanted.includes(turn));
}

const unfaithful = (turn: number): UserError =>
  new UserError({
    code: 'unfaithful-template',
    message: `the chat template writes the turns before turn ${turn + 1} differently when it follows, so that the text to learn cannot be found`,
    help: 'write your own template under `template: { chat: ... }`, with {% generation %} ... {% endgeneration %} around what the assistant writes',
  });
