import { didYouMean, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { fieldsIn, missingField, optionalText, requiredText } from '../template/row-field.ts';

/** One turn of a conversation, as chat templates read it. Other fields, such as `tool_calls`, are passed on. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [field: string]: Json;
}

/** A row as a conversation. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Descriptions of the tools that the assistant may call, if the row has them. */
  readonly tools?: Json;
}

/** Which fields of a row hold its conversation. */
interface ConversationFields {
  /** The list of turns; by default `messages` or `conversations`. */
  readonly field?: string | undefined;
  /** The speaker; by default `role` or `from`. */
  readonly role?: string | undefined;
  /** The text of a turn; by default `content` or `value`. */
  readonly content?: string | undefined;
  /** A name of a role in the data -> the template's name. */
  readonly roles: Readonly<Record<string, string>>;
}

export interface ConversationOptions {
  readonly fields: ConversationFields;
  /** The system message for conversations without one. */
  readonly system?: string | undefined;
}

/** ShareGPT's names of roles. */
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
 * instruction with its output as two turns. Throws a UserError that names the turn if it is not a conversation.
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
    message: `its field \`${name}\` is ${Array.isArray(turns) ? 'an empty list' : 'not a list'}, where a list of turns belongs`,
    help: `a conversation is ${example}`,
  });
}

const example = '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]';

function messageOf(turn: Json, at: { fields: ConversationFields; place: string }): ChatMessage {
  const { fields, place } = at;
  if (!isObject(turn)) throw badTurn(`${place} is not an object`, `a conversation is ${example}`);
  const speaker = fields.role ?? (Object.hasOwn(turn, 'from') ? 'from' : 'role');
  const words = fields.content ?? (Object.hasOwn(turn, 'value') ? 'value' : 'content');
  const { [speaker]: who, [words]: said, ...others } = turn;
  if (typeof who !== 'string' || who === '') throw badTurn(`${place} has no \`${speaker}\``, inTurn(turn));
  const role = ownValue(fields.roles, who) ?? ownValue(shareGptRoles, who) ?? who;
  // An assistant that calls tools need not say anything.
  if ((said === null || said === undefined) && others.tool_calls !== undefined)
    return { ...others, role, content: '' };
  if (said === undefined || said === null) throw badTurn(`${place} has no \`${words}\``, inTurn(turn));
  if (typeof said !== 'string')
    throw badTurn(
      `\`${words}\` of ${place} is not text`,
      'the content of a turn is text; pictures and other parts are not supported',
    );
  return { ...others, role, content: said };
}

function ownValue(map: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

const inTurn = (turn: JsonObject): string =>
  `name the fields with \`conversation: { role: ..., content: ... }\`; the turn has ${fieldsIn(turn)}`;

const badTurn = (message: string, help: string): UserError =>
  new UserError({ code: 'bad-conversation', message, help });

/** An instruction, its input on the next line, and its output if it has one. */
function instructionTurns(row: JsonObject): readonly ChatMessage[] {
  const input = optionalText(row, 'input');
  const instruction = requiredText(row, 'instruction');
  const output = optionalText(row, 'output');
  const user = { role: 'user', content: input === '' ? instruction : `${instruction}\n${input}` };
  return output === '' ? [user] : [user, { role: 'assistant', content: output }];
}

/** Role -> the roles that may follow; `start` is before the first turn. A system message can only come first. */
const nextRoles: Readonly<Record<string, readonly string[]>> = {
  start: ['system', 'developer', 'user'],
  system: ['user'],
  developer: ['user'],
  user: ['assistant'],
  assistant: ['user', 'tool'],
  tool: ['tool', 'assistant'],
};

const roles = Object.keys(nextRoles).filter((role) => role !== 'start');

/** Throws a UserError for the first turn that has no text or an unknown role, or may not follow the one before it. */
function checkTurns(messages: readonly ChatMessage[]): void {
  let before = 'start';
  for (const [index, message] of messages.entries()) {
    const { role, content } = message;
    const turn = `turn ${index + 1}`;
    if (!roles.includes(role)) throw unknownRole(turn, role);
    if (!nextRoles[before]?.includes(role)) throw wrongOrder({ turn, role, before });
    // A tool may return nothing, and an assistant that calls one need not say anything.
    if (content.trim() === '' && role !== 'tool' && message.tool_calls === undefined)
      throw new UserError({
        code: 'empty-turn',
        message: `${turn} (${role}) has no text`,
        help: 'give the turn a text in the data, or leave the row out',
      });
    before = role;
  }
  if (before !== 'start' && before !== 'system' && before !== 'developer') return;
  throw new UserError({ code: 'bad-conversation', message: 'its conversation has no question' });
}

function unknownRole(turn: string, role: string): UserError {
  return new UserError({
    code: 'unknown-role',
    message: `${turn} has the role \`${role}\`, which is not one of ${roles.join(', ')}`,
    help:
      didYouMean(role, roles) ??
      `say which one it stands for with \`conversation: { roles: { ${role}: user } }\``,
  });
}

function wrongOrder({ turn, role, before }: { turn: string; role: string; before: string }): UserError {
  const allowed = (nextRoles[before] ?? []).join(' or ');
  const message =
    before === 'start'
      ? `its conversation begins with ${article(role)} turn, not with ${allowed}`
      : `${turn} is ${article(role)} turn after ${article(before)} turn, which only ${allowed} may follow`;
  return new UserError({
    code: 'wrong-order',
    message,
    help: 'user and assistant take turns; a system message comes first, a tool answers an assistant',
  });
}

const article = (role: string): string => `${role === 'assistant' ? 'an' : 'a'} ${role}`;
