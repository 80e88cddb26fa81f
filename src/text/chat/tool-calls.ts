import { isList, isObject, type Json, type JsonObject, jsonText } from '../../core/index.ts';
import type { ChatMessage } from './chat-message.ts';
import type { ChatText } from './chat-template.ts';
import { jsonIn } from './json-in-text.ts';
import { attempt, type Shown } from './shown.ts';

/** Turns, what the template writes for them, and what of them it shows. */
export interface WrittenTurns {
  readonly turns: readonly ChatMessage[];
  readonly chat: ChatText;
  readonly shown: Shown;
}

/**
 * Writes turns in the form in which the template writes their tool calls. Templates differ in whether the content beside
 * a call is null or empty and whether arguments are an object or JSON text; some write nothing, `None`, or JSON twice
 * for the other. The data's own form comes first. `write` throws a UserError for what the template refuses.
 */
export function writeCalls(
  turns: readonly ChatMessage[],
  write: (turns: readonly ChatMessage[]) => WrittenTurns,
): WrittenTurns {
  if (turns.every(({ tool_calls }) => tool_calls === undefined)) return write(turns);
  let first: WrittenTurns | undefined;
  for (const form of forms) {
    const written = attempt(() => write(turns.map(form)));
    if (written === undefined) continue;
    first ??= written;
    const isWhole =
      !writesTwice(written) &&
      !writesNone(written, write) &&
      written.shown.texts.every(({ name, end }) => name !== 'tool_calls' || end !== undefined);
    if (isWhole) return written;
  }
  return first ?? write(turns);
}

type Form = (turn: ChatMessage) => ChatMessage;

/** The content beside a call, if it says nothing, replaced. */
function withContent(turn: ChatMessage, content: string | null): ChatMessage {
  const saysNothing = typeof turn.content !== 'string' || turn.content.trim() === '';
  return turn.tool_calls !== undefined && saysNothing ? { ...turn, content } : turn;
}

const asObjects = (turn: ChatMessage): ChatMessage => withArguments(turn, jsonIn);
const asText = (turn: ChatMessage): ChatMessage =>
  withArguments(turn, (value) => (typeof value === 'string' ? value : spacedJson(value)));

const forms: readonly Form[] = [(turn: ChatMessage) => turn, asObjects, asText].flatMap(
  (formed): readonly Form[] => [
    formed,
    (turn) => withContent(formed(turn), null),
    (turn) => withContent(formed(turn), ''),
  ],
);

function withArguments(turn: ChatMessage, change: (value: Json) => Json): ChatMessage {
  if (!isList(turn.tool_calls)) return turn;
  const changed = (call: JsonObject): JsonObject =>
    call.arguments === undefined ? call : { ...call, arguments: change(call.arguments) };
  const calls = turn.tool_calls.map((call) => {
    if (!isObject(call)) return call;
    return isObject(call.function) ? { ...call, function: changed(call.function) } : changed(call);
  });
  return { ...turn, tool_calls: calls };
}

/** JSON with spaces after `:` and `,`, as Python's json.dumps and the templates' tojson write it. */
function spacedJson(value: Json): string {
  if (isList(value)) return `[${value.map(spacedJson).join(', ')}]`;
  if (!isObject(value)) return jsonText(value);
  return `{${Object.entries(value)
    .map(([name, item]) => `${jsonText(name)}: ${spacedJson(item)}`)
    .join(', ')}}`;
}

/** Whether JSON text is written as a text in JSON, with its quotation marks escaped. */
const writesTwice = ({ turns, chat }: WrittenTurns): boolean =>
  argumentsIn(turns).some(
    (given) => typeof given === 'string' && jsonIn(given) !== given && chat.text.includes(jsonText(given)),
  );

const argumentsIn = (turns: readonly ChatMessage[]): readonly (Json | undefined)[] =>
  turns.flatMap(({ tool_calls }) =>
    (isList(tool_calls) ? tool_calls : []).flatMap((call) =>
      isObject(call) ? [(isObject(call.function) ? call.function : call).arguments] : [],
    ),
  );

/** Whether a content that is null is written as Python's `None`. */
function writesNone(
  { turns, chat: { text } }: WrittenTurns,
  write: (turns: readonly ChatMessage[]) => WrittenTurns,
): boolean {
  if (!text.includes('None')) return false;
  const without = attempt(() => write(turns.map((turn) => withContent(turn, ''))));
  return without !== undefined && count(text, 'None') > count(without.chat.text, 'None');
}

const count = (text: string, part: string): number => text.split(part).length - 1;
