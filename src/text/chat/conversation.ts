import { didYouMean, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { fieldsOf, missingField, optionalText, requiredText } from '../template/row-field.ts';
import type { ChatMessage, Conversation } from './chat-message.ts';

/** Where a row has its conversation. */
interface ConversationFields {
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

/** Who may speak after whom; `start` is before the first turn. A system message comes first only. */
const followers: Readonly<Record<string, readonly string[]>> = {
  start: ['system', 'developer', 'user'],
  system: ['user'],
  developer: ['user'],
  user: ['assistant'],
  assistant: ['user', 'tool'],
  tool: ['tool', 'assistant'],
};

const roles = Object.keys(followers).filter((role) => role !== 'start');

/** Throws a UserError for the first turn that has no text, an unknown role, or comes after one that it cannot follow. */
function checkTurns(messages: readonly ChatMessage[]): void {
  let before = 'start';
  for (const [index, message] of messages.entries()) {
    const { role, content } = message;
    const turn = `turn ${index + 1}`;
    if (!roles.includes(role)) throw unknownRole(turn, role);
    if (!followers[before]?.includes(role)) throw wrongOrder({ turn, role, before });
    // A tool may find nothing, and who calls one need not say anything.
    if (content.trim() === '' && role !== 'tool' && message.tool_calls === undefined)
      throw new UserError({
        code: 'empty-turn',
        message: `${turn} (${role}) has no text`,
        help: 'give the turn a text in the data, or leave the row out',
      });
    before = role;
  }
  if (before !== 'start' && before !== 'system' && before !== 'developer') return;
  throw new UserError({ code: 'bad-conversation', message: 'nobody asks anything in its conversation' });
}

function unknownRole(turn: string, role: string): UserError {
  return new UserError({
    code: 'unknown-role',
    message: `${turn} has the role \`${role}\`, which is none of ${roles.join(', ')}`,
    help:
      didYouMean(role, roles) ??
      `say which of them it is with \`conversation: { roles: { ${role}: user } }\``,
  });
}

function wrongOrder({ turn, role, before }: { turn: string; role: string; before: string }): UserError {
  const allowed = (followers[before] ?? []).join(' or ');
  const message =
    before === 'start'
      ? `its conversation begins with ${article(role)} turn, not with ${allowed}`
      : `${turn} is ${article(role)} turn after ${article(before)} turn, where ${allowed} speaks next`;
  return new UserError({
    code: 'wrong-order',
    message,
    help: 'user and assistant take turns; a system message comes first, a tool answers an assistant',
  });
}

const article = (role: string): string => `${role === 'assistant' ? 'an' : 'a'} ${role}`;
