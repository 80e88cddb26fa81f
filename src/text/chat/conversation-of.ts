import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { isObject } from '../parse-record.ts';
import { fieldsOf, missingField, optionalText, requiredText } from '../template/row-field.ts';
import type { ChatMessage, Conversation } from './chat-message.ts';
import { checkTurns } from './check-turns.ts';

/** Where a row has its conversation. */
export interface ConversationFields {
  /** The list of turns; by default `messages` or `conversations`. */
  readonly field?: string | undefined;
  /** Who speaks; by default `role` or `from`. */
  readonly role?: string | undefined;
  /** What is said; by default `content` or `value`. */
  readonly content?: string | undefined;
  /** A name of a role in the data -> the template's name. */
  readonly roles: Readonly<Record<string, string>>;
}

export interface ConversationOptions {
  readonly fields: ConversationFields;
  /** What a conversation begins with that has no system message of its own. */
  readonly system?: string | undefined;
}

/** ShareGPT's names of those who speak. */
const shareGptRoles: Readonly<Record<string, string>> = {
  human: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  observation: 'tool',
};

/**
 * The conversation that a row holds: `messages` ({role, content}), ShareGPT's `conversations` ({from, value}), or an
 * instruction with its output as two turns. Throws a UserError that names the turn where it is none.
 */
export function conversationOf(row: JsonObject, { fields, system }: ConversationOptions): Conversation {
  const own = turnsOf(row, fields);
  const opening = system ?? '';
  const given = typeof row.system === 'string' && row.system.trim() !== '' ? row.system : opening;
  const messages =
    given === '' || own[0]?.role === 'system' ? own : [{ role: 'system', content: given }, ...own];
  checkTurns(messages);
  return Array.isArray(row.tools) ? { messages, tools: row.tools } : { messages };
}

function turnsOf(row: JsonObject, fields: ConversationFields): readonly ChatMessage[] {
  const name = fields.field ?? ['messages', 'conversations'].find((each) => Object.hasOwn(row, each));
  if (name === undefined) return instructionTurns(row);
  const turns = row[name];
  if (turns === undefined || turns === null) throw missingField(row, name);
  if (Array.isArray(turns) && turns.length > 0)
    return turns.map((turn, index) => messageOf(turn, { fields, place: `${name}[${index}]` }));
  throw new UserError({
    code: 'bad-conversation',
    message: `its field \`${name}\` is ${Array.isArray(turns) ? 'an empty list' : 'no list'}, where a list of turns belongs`,
    help: `a conversation is ${example}`,
  });
}

const example = '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]';

function messageOf(turn: Json, at: { fields: ConversationFields; place: string }): ChatMessage {
  const { fields, place } = at;
  if (!isObject(turn)) throw badTurn(`${place} is no object`, `a conversation is ${example}`);
  const speaker = fields.role ?? (Object.hasOwn(turn, 'from') ? 'from' : 'role');
  const words = fields.content ?? (Object.hasOwn(turn, 'value') ? 'value' : 'content');
  const { [speaker]: who, [words]: said, ...others } = turn;
  if (typeof who !== 'string' || who === '') throw badTurn(`${place} has no \`${speaker}\``, inTurn(turn));
  const role = ownValue(fields.roles, who) ?? ownValue(shareGptRoles, who) ?? who;
  // An assistant that calls tools may say nothing beside it.
  if ((said === null || said === undefined) && others.tool_calls !== undefined)
    return { ...others, role, content: '' };
  if (said === undefined || said === null) throw badTurn(`${place} has no \`${words}\``, inTurn(turn));
  if (typeof said !== 'string')
    throw badTurn(
      `\`${words}\` of ${place} is no text`,
      'the content of a turn is text; pictures and other parts are not supported',
    );
  return { ...others, role, content: said };
}

function ownValue(map: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

const inTurn = (turn: JsonObject): string =>
  `name the fields with \`conversation: { role: ..., content: ... }\`; ${fieldsOf(turn).replace('row', 'turn')}`;

const badTurn = (message: string, help: string): UserError =>
  new UserError({ code: 'bad-conversation', message, help });

/** An instruction, with its input on a line of its own, and its output where it has one. */
function instructionTurns(row: JsonObject): readonly ChatMessage[] {
  const input = optionalText(row, 'input');
  const instruction = requiredText(row, 'instruction');
  const output = optionalText(row, 'output');
  const user = { role: 'user', content: input === '' ? instruction : `${instruction}\n${input}` };
  return output === '' ? [user] : [user, { role: 'assistant', content: output }];
}
