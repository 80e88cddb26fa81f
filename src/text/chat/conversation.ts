import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import type { RecognizedRow } from '../shapes/row-shape.ts';
import { type ChatMessage, type Conversation, reasoningFields } from './chat-message.ts';
import { jsonIn } from './json-in-text.ts';
import { type ConversationFields, rowTurns } from './row-turns.ts';
import type { Turn } from './turn.ts';

/** A row as a conversation. */
export interface RowConversation extends Conversation {
  /** For each turn, whether the row says that it is learned; undefined where it says nothing. */
  readonly learned: readonly (boolean | undefined)[];
  /** The fields of the row that were read. */
  readonly read: ReadonlySet<string>;
  /** The fields of a content's parts that no template is given. */
  readonly dropped: readonly string[];
  /** The layout that the row's fields show. */
  readonly recognized: RecognizedRow | undefined;
}

export interface ConversationOptions {
  readonly fields: ConversationFields;
  /** The system message for conversations without one. */
  readonly system?: string | undefined;
  /** Whether the template writes `tool_calls`; otherwise a call that the data has as text stays text. */
  readonly writesCalls: (hasTools: boolean) => boolean;
}

/**
 * The conversation that a row holds: a list of turns, a prompt with its completion, or an instruction with its output
 * and history. Which roles may follow each other is up to the template. Throws a UserError that names the turn if the
 * row holds no conversation.
 */
export function conversationOf(
  row: JsonObject,
  { fields, system, writesCalls }: ConversationOptions,
): RowConversation {
  const toolList = toolsOf(row.tools ?? null);
  const {
    turns: own,
    read,
    recognized,
  } = rowTurns(row, { fields, writesCalls: writesCalls(toolList.length > 0) });
  const opening = systemTurn(row, { system, first: own[0] });
  const turns = opening === undefined ? own : [opening, ...own];
  const { variables, variableFields } = variablesIn(row);
  checkTurns(turns);
  const ownSystem = typeof row.system === 'string' ? row.system : undefined;
  const isShown = turns[0]?.message.role === 'system' && turns[0].message.content === ownSystem;
  return {
    messages: turns.map(({ message }) => message),
    ...(toolList.length > 0 && { tools: toolList }),
    ...(Object.keys(variables).length > 0 && { variables }),
    learned: turns.map(({ learned }) => learned),
    read: new Set([...read, 'tools', ...variableFields, ...(isShown ? ['system'] : [])]),
    dropped: turns.flatMap(({ dropped }) => dropped),
    recognized,
  };
}

/** The row's system message, or else the configured one, for turns that do not begin with one. */
function systemTurn(
  row: JsonObject,
  { system, first }: { readonly system: string | undefined; readonly first: Turn | undefined },
): Turn | undefined {
  if (first?.message.role === 'system') return undefined;
  const own = typeof row.system === 'string' && row.system.trim() !== '' ? row.system : undefined;
  const content = own ?? system;
  if (content === undefined) return undefined;
  return { message: { role: 'system', content }, learned: undefined, dropped: [] };
}

/** A list of tools, which the data may hold as JSON text, one by one or as a whole, or as a single object. */
function toolsOf(value: Json): readonly Json[] {
  const tools = jsonIn(value);
  if (tools === null || tools === '') return [];
  const list = isList(tools) ? tools.map(jsonIn) : [tools];
  if (list.every(isObject)) return list;
  throw new UserError({
    code: 'bad-tools',
    message: 'its field `tools` is not a list of tools',
    help: 'a tool is {"type": "function", "function": {"name": ..., "description": ..., "parameters": ...}}; the list may also be JSON text',
  });
}

/** What the row gives the template besides messages and tools, and the fields that hold it. */
function variablesIn(row: JsonObject): {
  readonly variables: JsonObject;
  readonly variableFields: readonly string[];
} {
  const given = jsonIn(row.chat_template_kwargs ?? null);
  const documents = jsonIn(row.documents ?? null);
  const named = isObject(given) ? Object.entries(given).filter(([, value]) => value !== null) : [];
  return {
    variables: { ...(isList(documents) && { documents }), ...Object.fromEntries(named) },
    variableFields: [
      ...(isList(documents) ? ['documents'] : []),
      ...(isObject(given) ? ['chat_template_kwargs'] : []),
    ],
  };
}

/** Throws a UserError for the first turn of a user or an assistant that says nothing. */
function checkTurns(turns: readonly Turn[]): void {
  for (const [index, { message, learned }] of turns.entries()) {
    const { role, content } = message;
    const isEmpty = typeof content !== 'string' || content.trim() === '';
    if (!isEmpty || message.tool_calls !== undefined || hasReasoning(message)) continue;
    if (role === 'user' || (role === 'assistant' && learned !== false))
      throw new UserError({
        code: 'empty-turn',
        message: `turn ${index + 1} (${role}) has no text`,
        help: 'give the turn a text in the data, or leave the row out',
      });
  }
  if (turns.some(({ message: { role } }) => role !== 'system' && role !== 'developer')) return;
  throw new UserError({ code: 'bad-conversation', message: 'its conversation has no question' });
}

const hasReasoning = (message: ChatMessage): boolean =>
  reasoningFields.some((name) => typeof message[name] === 'string' && message[name].trim() !== '');
