import { isList, isObject, type Json, type JsonObject, jsonText } from '../../core/index.ts';
import { type ChatMessage, reasoningFields } from './chat-message.ts';

/** A text that a conversation says, which the template should write. */
export interface Said {
  /** What `ignore` calls it: `content`, `reasoning`, `tool_calls`, `tools`, or a field of a turn. */
  readonly name: string;
  /** The index of its turn; undefined for tools. */
  readonly turn: number | undefined;
  /** Without the white space around it. */
  readonly text: string;
}

/** A conversation whose texts each end with a mark: the character at the same index of `marks`. */
export interface MarkedTurns {
  readonly turns: readonly ChatMessage[];
  readonly tools: readonly Json[] | undefined;
  readonly said: readonly Said[];
}

/** The fields of a turn that are read here, or that only identify a call. */
const known = new Set(['role', 'content', 'tool_calls', 'tool_call_id', 'id', 'type', ...reasoningFields]);

/** Fields of a turn that a template may or may not use. */
export const otherFields = (message: ChatMessage): readonly string[] =>
  Object.keys(message).filter((name) => !known.has(name));

/** Marks every text of the turns and tools by its index in `said`. Undefined if there are more texts than marks. */
export function markedTurns(
  turns: readonly ChatMessage[],
  tools: readonly Json[] | undefined,
  marks: Marks,
): MarkedTurns | undefined {
  const said: Said[] = [];
  const mark = (value: Json, of: Pick<Said, 'name' | 'turn'>): Json => {
    if (typeof value === 'string') {
      const text = value.trim();
      if (text === '') return value;
      const end = value.indexOf(text) + text.length;
      said.push({ ...of, text });
      return value.slice(0, end) + marks.at(said.length - 1) + value.slice(end);
    }
    if (isList(value)) return value.map((item) => mark(item, of));
    if (!isObject(value)) return value;
    return mapFields(value, (item) => mark(item, of));
  };
  const markedTurn = (message: ChatMessage, turn: number): ChatMessage => {
    const reasoning = new Map<string, Json>();
    const markReasoning = (value: Json): Json => {
      const key = jsonText(value);
      const marked = reasoning.get(key) ?? mark(value, { name: 'reasoning', turn });
      reasoning.set(key, marked);
      return marked;
    };
    const fields = mapFields(message, (value, name) => {
      if (name === 'content') return mark(value, { name, turn });
      if (reasoningFields.includes(name)) return markReasoning(value);
      if (name === 'tool_calls') return isList(value) ? value.map((call) => markCall(call, turn)) : value;
      return known.has(name) ? value : mark(value, { name, turn });
    });
    return { ...fields, role: message.role };
  };
  const markCall = (call: Json, turn: number): Json => {
    if (!isObject(call)) return call;
    return mapFields(call, (value, name) => {
      if (name === 'function' && isObject(value))
        return mapFields(value, (field) => mark(field, { name: 'tool_calls', turn }));
      return name === 'name' || name === 'arguments' ? mark(value, { name: 'tool_calls', turn }) : value;
    });
  };
  const marked = {
    turns: turns.map(markedTurn),
    tools: tools?.map((tool) => markTool(tool, (text) => mark(text, { name: 'tools', turn: undefined }))),
    said,
  };
  return said.length > marks.length ? undefined : marked;
}

/** A tool's name and descriptions, and those of its parameters. */
function markTool(tool: Json, mark: (text: Json) => Json): Json {
  if (isList(tool)) return tool.map((item) => markTool(item, mark));
  if (!isObject(tool)) return tool;
  return mapFields(tool, (value, name) =>
    (name === 'name' || name === 'description') && typeof value === 'string'
      ? mark(value)
      : markTool(value, mark),
  );
}

const mapFields = (object: JsonObject, change: (value: Json, name: string) => Json): JsonObject =>
  Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value, name)]));

/** Characters that occur in no text of a conversation. */
export interface Marks {
  readonly length: number;
  readonly at: (index: number) => string;
  /** Takes the marks out of a text, and says where each was last. */
  readonly takeOut: (text: string) => { readonly text: string; readonly ends: ReadonlyMap<number, number> };
}

/** The planes of Unicode for private use. Each has 65,534 characters. */
const planes = [0xf0000, 0x100000];
const planeSize = 0xfffe;

/** Marks from a plane of which the text holds no character; undefined if there is none. */
export function marksFor(text: string): Marks | undefined {
  const first = planes.find((start) => !characterOf(start).test(text));
  if (first === undefined) return undefined;
  const pattern = new RegExp(characterOf(first), 'gu');
  return {
    length: planeSize,
    at: (index) => String.fromCodePoint(first + index),
    takeOut: (marked) => {
      const ends = new Map<number, number>();
      let text = '';
      let done = 0;
      for (const { 0: mark, index } of marked.matchAll(pattern)) {
        text += marked.slice(done, index);
        done = index + mark.length;
        ends.set((mark.codePointAt(0) ?? 0) - first, text.length);
      }
      return { text: text + marked.slice(done), ends };
    },
  };
}

const characterOf = (start: number): RegExp =>
  new RegExp(`[\\u{${start.toString(16)}}-\\u{${(start + planeSize - 1).toString(16)}}]`, 'u');
