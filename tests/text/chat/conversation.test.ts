import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { type ConversationOptions, conversationOf } from '../../../src/text/chat/conversation.ts';

const read = (row: JsonObject, options: Partial<ConversationOptions> = {}) =>
  conversationOf(row, { fields: { roles: {} }, ...options });
const user = { role: 'user', content: 'Hi' };
const assistant = { role: 'assistant', content: 'Hello' };

describe('a conversation is read from', () => {
  test('messages, whose other fields are passed on', () => {
    const call = { role: 'assistant', tool_calls: [{ function: { name: 'f' } }] };
    const answer = { role: 'tool', content: '', name: 'f' };
    expect(read({ messages: [user, call, answer, assistant], tools: [{ name: 'f' }] })).toEqual({
      messages: [user, { ...call, content: '' }, answer, assistant],
      tools: [{ name: 'f' }],
    });
  });

  test('ShareGPT’s conversations', () => {
    const conversations = [
      { from: 'system', value: 'Be kind.' },
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello', weight: 1 },
    ];
    expect(read({ conversations })).toEqual({
      messages: [{ role: 'system', content: 'Be kind.' }, user, { ...assistant, weight: 1 }],
    });
  });

  test('fields of other names', () => {
    const dialogue = [
      { speaker: 'customer', text: 'Hi' },
      { speaker: 'agent', text: 'Hello' },
    ];
    const roles = { customer: 'user', agent: 'assistant' };
    const fields = { field: 'dialogue', role: 'speaker', content: 'text', roles };
    expect(read({ dialogue }, { fields })).toEqual({ messages: [user, assistant] });
  });

  test('an instruction with its input and output, and a system message', () => {
    const row = { instruction: 'Add.', input: '1 2', output: '3' };
    expect(read(row, { system: 'Be brief.' })).toEqual({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Add.\n1 2' },
        { role: 'assistant', content: '3' },
      ],
    });
    expect(read({ messages: [{ role: 'system', content: 'Own.' }, user] }, { system: 'Not this.' })).toEqual({
      messages: [{ role: 'system', content: 'Own.' }, user],
    });
    expect(read({ instruction: 'Asked only' })).toEqual({
      messages: [{ role: 'user', content: 'Asked only' }],
    });
  });
});

test.each([
  [{ messages: [] }, 'its field `messages` is an empty list, where a list of turns belongs'],
  [{ messages: 'Hi' }, 'its field `messages` is not a list, where a list of turns belongs'],
  [{ messages: ['Hi'] }, 'messages[0] is not an object'],
  [{ messages: [{ content: 'Hi' }] }, 'messages[0] has no `role`'],
  [{ messages: [user, { role: 'assistant' }] }, 'messages[1] has no `content`'],
  [{ messages: [{ role: 'user', content: [{ type: 'text' }] }] }, '`content` of messages[0] is not text'],
  [{ messages: [user, { role: 'assistant', content: ' ' }] }, 'turn 2 (assistant) has no text'],
  [
    { messages: [assistant] },
    'its conversation begins with an assistant turn, not with system or developer or user',
  ],
  [{ messages: [user, user] }, 'turn 2 is a user turn after a user turn, which only assistant may follow'],
  [
    { messages: [user, { role: 'asistant', content: 'x' }] },
    'turn 2 has the role `asistant`, which is not one of system, developer, user, assistant, tool',
  ],
  [{ messages: [{ role: 'system', content: 'x' }] }, 'its conversation has no question'],
  [{ output: 'x' }, 'it has no field `instruction`'],
])('%j is refused', (row, message) => {
  expect(() => read(row)).toThrow(message);
});
