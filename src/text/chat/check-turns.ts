import { UserError } from '../../user-error.ts';
import { nearName } from '../near-name.ts';
import type { ChatMessage } from './chat-message.ts';

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
export function checkTurns(messages: readonly ChatMessage[]): void {
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
  const near = nearName(role, roles);
  return new UserError({
    code: 'unknown-role',
    message: `${turn} has the role \`${role}\`, which is none of ${roles.join(', ')}`,
    help: near
      ? `did you mean \`${near}\`?`
      : `say which of them it is with \`conversation: { roles: { ${role}: user } }\``,
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
