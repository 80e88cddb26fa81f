import { isList, isObject, type Json, jsonText, UserError } from '../../core/index.ts';
import type { ChatMessage } from './chat-message.ts';
import { type Marks, markedTurns, otherFields, type Said } from './said.ts';

/** A text of a conversation and where the template writes it. */
interface ShownText extends Said {
  /** Where it ends in the rendered text; undefined if it is not there. */
  readonly end: number | undefined;
}

/** What a rendered conversation shows of what the turns say. */
export interface Shown {
  readonly texts: readonly ShownText[];
  /** Whether the ends are exact; otherwise a text counts as shown if it occurs. */
  readonly isExact: boolean;
}

export type Render = (turns: readonly ChatMessage[], tools: readonly Json[] | undefined) => string;

/**
 * Finds where a template writes each text of a conversation: it renders the texts again with a mark after each. If the
 * marks change what the template writes, as where it compares a name, only contents are marked; and if these change it
 * too, the texts are searched.
 */
export function shownIn(
  text: string,
  {
    turns,
    tools,
    marks,
    render,
  }: {
    readonly turns: readonly ChatMessage[];
    readonly tools: readonly Json[] | undefined;
    readonly marks: Marks | undefined;
    readonly render: Render;
  },
): Shown {
  const marked = marks && markedTurns(turns, tools, marks);
  if (marks === undefined || marked === undefined) return { texts: [], isExact: false };
  const all = positions(text, { marked: attempt(() => render(marked.turns, marked.tools)), marks });
  if (all !== undefined)
    return { texts: marked.said.map((said, index) => ({ ...said, end: all.get(index) })), isExact: true };
  const contentsOnly = turns.map((turn, index) => ({ ...turn, ...contentOf(marked.turns[index]) }));
  const contents = positions(text, { marked: attempt(() => render(contentsOnly, tools)), marks });
  return {
    texts: marked.said.map((said, index) => ({
      ...said,
      end:
        (said.name === 'content' ? contents?.get(index) : undefined) ??
        foundEnd(text, said, contents !== undefined),
    })),
    isExact: contents !== undefined,
  };
}

const contentOf = (turn: ChatMessage | undefined) =>
  turn?.content === undefined ? {} : { content: turn.content };

function positions(
  text: string,
  { marked, marks }: { readonly marked: string | undefined; readonly marks: Marks },
): ReadonlyMap<number, number> | undefined {
  if (marked === undefined) return undefined;
  const found = marks.takeOut(marked);
  return found.text === text ? found.ends : undefined;
}

/** Undefined if the template fails. */
export function attempt<Value>(render: () => Value): Value | undefined {
  try {
    return render();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The end of a text that occurs, as it is or as JSON writes it. */
function foundEnd(text: string, said: Said, isMarked: boolean): number | undefined {
  if (isMarked && said.name === 'content') return undefined;
  for (const spelling of [said.text, JSON.stringify(said.text).slice(1, -1)]) {
    const start = text.indexOf(spelling);
    if (start >= 0) return start + spelling.length;
  }
  return undefined;
}

/** Something that a row says and its text does not show. */
export interface Unshown {
  /** What `ignore` calls it. */
  readonly name: string;
  /** Continues "in 3 of 10 records": `the text of a system turn is not written`. */
  readonly problem: string;
  /** Whether it is a field of the row. */
  readonly isField?: true;
}

interface Checked {
  readonly text: string;
  readonly shown: Shown;
  readonly turns: readonly ChatMessage[];
  /** The indexes of the turns that are learned. */
  readonly learned: readonly number[];
  /** Whether the template read a field of a turn. */
  readonly isRead: (turn: number, field: string) => boolean;
}

/**
 * What the turns and tools say and the text does not show. Throws a UserError for a learned turn of which it shows
 * nothing: the model would learn an empty answer.
 */
export function unshownIn({ text, shown, turns, learned, isRead }: Checked): readonly Unshown[] {
  const found: Unshown[] = [];
  for (const [index, message] of turns.entries()) {
    const said = shown.texts.filter(({ turn }) => turn === index);
    const answer = said.filter(({ name }) => ['content', 'reasoning', 'tool_calls'].includes(name));
    if (learned.includes(index) && answer.length > 0 && answer.every(({ end }) => end === undefined))
      throw emptyAnswer(index, message, answer);
    found.push(...turnProblems({ text, said, message, index, isRead }));
    found.push(...valueProblems({ text, message, said }));
  }
  if (shown.texts.some(({ name, end }) => name === 'tools' && end === undefined))
    found.push({ name: 'tools', problem: 'the template does not write all of `tools`' });
  return found;
}

interface SaidTurn {
  readonly text: string;
  readonly said: readonly ShownText[];
  readonly message: ChatMessage;
  readonly index: number;
  readonly isRead: Checked['isRead'];
}

function turnProblems({ text, said, message, index, isRead }: SaidTurn): readonly Unshown[] {
  const { role } = message;
  const problems = said.flatMap(({ name, text: words, end }): readonly Unshown[] => {
    const isAbsent = end === undefined;
    switch (name) {
      case 'content':
        return contentProblems({ text, words, end, role });
      case 'reasoning':
        return isAbsent ? [reasoningLost(role)] : [];
      case 'tool_calls':
        return isAbsent ? [callLost] : [];
      default:
        return isAbsent && !text.includes(words) && !isRead(index, name) ? [fieldUnused(name)] : [];
    }
  });
  // A field that is no text, such as a number or a list, shows by being read.
  const unread = otherFields(message).filter(
    (name) => !said.some((one) => one.name === name) && saysSomething(message[name]) && !isRead(index, name),
  );
  return [...problems, ...unread.map(fieldUnused)];
}

const fieldUnused = (name: string): Unshown => ({
  name,
  problem: `the template does not use the field \`${name}\` of a turn`,
});
const callLost: Unshown = { name: 'tool_calls', problem: 'the template does not write a tool call' };
const reasoningLost = (role: string): Unshown => ({
  name: 'reasoning',
  problem: `the template does not write the reasoning of a turn (${role})`,
});

const thought = /<think>([\s\S]*?)<\/think>/g;

/** What a content has between `<think>` and `</think>`. */
export const thoughtsIn = (content: string): readonly string[] =>
  [...content.matchAll(thought)].flatMap(([, words = '']) => (words.trim() === '' ? [] : [words.trim()]));

/** A content has to be written as it is. A template may drop or rewrite its reasoning, which is another problem. */
function contentProblems({
  text,
  words,
  end,
  role,
}: {
  readonly text: string;
  readonly words: string;
  readonly end: number | undefined;
  readonly role: string;
}): readonly Unshown[] {
  if (end === undefined)
    return [{ name: 'content', problem: `the template does not write the text of a turn (${role})` }];
  const before = text.slice(0, end);
  const endsWith = (spelling: string) =>
    before.endsWith(spelling) || before.endsWith(JSON.stringify(spelling).slice(1, -1));
  if (endsWith(words)) return [];
  const rest = words.slice(words.lastIndexOf('</think>') + '</think>'.length).trim();
  if (!words.includes('</think>') || !endsWith(rest))
    return [{ name: 'content', problem: `the template writes the text of a turn differently (${role})` }];
  const thoughts = words
    .slice(0, words.lastIndexOf('</think>'))
    .replace(/<\/?think>/g, '')
    .trim();
  return thoughts === '' || before.includes(thoughts) ? [] : [reasoningLost(role)];
}

/** Numbers and the like in the arguments of calls, which cannot be marked: they have to occur after a name. */
function valueProblems({
  text,
  message,
  said,
}: Pick<SaidTurn, 'text' | 'message' | 'said'>): readonly Unshown[] {
  if (!isList(message.tool_calls)) return [];
  const from = said.find(({ name, end }) => name === 'tool_calls' && end !== undefined)?.end;
  if (from === undefined) return [];
  const after = text.slice(from);
  const isThere = (value: Json): boolean =>
    isList(value) || isObject(value)
      ? Object.values(value).every(isThere)
      : typeof value === 'string' || spellings(value).some((spelling) => after.includes(spelling));
  const calls = message.tool_calls.flatMap((call) => (isObject(call) ? [call.function ?? call] : []));
  const isWhole = calls.every(
    (call) => !isObject(call) || call.arguments === undefined || isThere(call.arguments),
  );
  return isWhole ? [] : [callLost];
}

const spellings = (value: Json): readonly string[] => {
  if (value === null) return ['null', 'None'];
  if (typeof value === 'boolean') return value ? ['true', 'True'] : ['false', 'False'];
  return [String(value), jsonText(value)];
};

/** Null, an empty text or list, and the like say nothing. */
export const saysSomething = (value: Json | undefined): boolean => {
  if (value === undefined || value === null || value === '') return false;
  if (typeof value === 'string') return value.trim() !== '';
  return isList(value) || isObject(value) ? Object.values(value).some(saysSomething) : true;
};

function emptyAnswer(index: number, { role }: ChatMessage, answer: readonly Said[]): UserError {
  const names = new Set(answer.map(({ name }) => name));
  const what = names.has('content')
    ? 'the text'
    : names.has('tool_calls')
      ? 'the tool calls'
      : 'the reasoning';
  return new UserError({
    code: 'unshown-answer',
    message: `the chat template does not write ${what} of turn ${index + 1} (${role}), which is to be learned`,
    help: 'use a chat template that writes it, or say in the data that the turn is not learned with `"weight": 0`',
  });
}
