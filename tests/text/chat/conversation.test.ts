import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { type ConversationOptions, conversationOf } from '../../../src/text/chat/conversation.ts';

const read = (row: JsonObject, options: Partial<ConversationOptions> = {}) => {
  const { messages, tools } = whole(row, options);
  return { messages, ...(tools && { tools }) };
};
const whole = (row: JsonObject, options: Partial<ConversationOptions> = {}) =>
  conversationOf(row, { fields: { roles: {} }, writesCalls: () => true, ...options });
const user = { role: 'user', content: 'Hi' };
const assistant = { role: 'assistant', content: 'Hello' };

describe('a conversation is read from', () => {
  test('messages, whose other fields are passed on', () => {
    const call = { role: 'assistant', tool_calls: [{ function: { name: 'f' } }] };
    const answer = { role: 'tool', content: '', name: 'f' };
    expect(read({ messages: [user, call, answer, assistant], tools: [{ name: 'f' }] })).toEqual({
      messages: [user, call, answer, assistant],
      tools: [{ name: 'f' }],
    });
  });

  test('ShareGPT’s conversations', () => {
    const conversations = [
      { from: 'system', value: 'Be kind.' },
      { from: 'human', value: 'Hi' },
      { from: 'gpt', value: 'Hello', mood: 'good' },
    ];
    expect(read({ conversations })).toEqual({
      messages: [{ role: 'system', content: 'Be kind.' }, user, { ...assistant, mood: 'good' }],
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

  test('an instruction after its history, as LLaMA-Factory has it', () => {
    const row = { instruction: 'Bye', input: '', output: 'Ciao', system: 'S', history: [['Hi', 'Hello']] };
    const messages = [
      { role: 'system', content: 'S' },
      user,
      assistant,
      { role: 'user', content: 'Bye' },
      { role: 'assistant', content: 'Ciao' },
    ];
    expect(read(row)).toEqual({ messages });
    expect(read({ ...row, history: JSON.stringify(row.history) })).toEqual({ messages });
    expect(read({ ...row, history: null })).toEqual({ messages: messages.toSpliced(1, 2) });
  });

  test('a prompt and its completion, texts or turns, of which only the completion is learned', () => {
    const texts = { prompt: 'Hi', completion: 'Hello' };
    expect(whole(texts)).toMatchObject({ messages: [user, assistant], learned: [undefined, undefined] });
    const turns = { prompt: [user, assistant, user], completion: [assistant] };
    expect(whole(turns)).toMatchObject({
      messages: [user, assistant, user, assistant],
      learned: [undefined, false, undefined, undefined],
    });
    expect(read({ prompt: [user] })).toEqual({ messages: [user] });
    expect(read({ prompt: '[{"a": 1}]' })).toEqual({ messages: [{ role: 'user', content: '[{"a": 1}]' }] });
  });

  test('JSON text, as CSV files and tables have it', () => {
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const rows = [
      { messages: [user, assistant], tools },
      { messages: JSON.stringify([user, assistant]), tools: JSON.stringify(tools) },
      { messages: [user, assistant], tools: tools.map((tool) => JSON.stringify(tool)) },
      { messages: [user, assistant], tools: tools[0] },
    ];
    for (const row of rows) expect(read(row as JsonObject)).toEqual({ messages: [user, assistant], tools });
    for (const none of [null, '', [], '[]'])
      expect(read({ messages: [user, assistant], tools: none })).toEqual({ messages: [user, assistant] });
  });

  test('and says which fields of the row it read', () => {
    const messages = [user, assistant];
    const fieldsRead = (row: JsonObject) => [...whole({ messages, ...row }).read].toSorted();
    expect(fieldsRead({})).toEqual(['messages', 'tools']);
    expect(fieldsRead({ system: 'S', documents: [{}], chat_template_kwargs: '{"a": 1}' })).toEqual([
      ...['chat_template_kwargs', 'documents', 'messages', 'system', 'tools'],
    ]);
    expect(fieldsRead({ system: 7, documents: 'd', chat_template_kwargs: [1] })).toEqual([
      'messages',
      'tools',
    ]);
    const own = [{ role: 'system', content: 'Own' }, ...messages];
    expect(fieldsRead({ messages: own, system: 'Other' })).toEqual(['messages', 'tools']);
  });

  test('turns whose content is a list of texts', () => {
    const parts = ['He', { type: 'text', text: 'll' }, { type: 'text', text: 'o', image_url: null }];
    expect(read({ messages: [user, { role: 'assistant', content: parts }] })).toEqual({
      messages: [user, assistant],
    });
  });

  test('turns in any order, which the template may refuse', () => {
    const messages = [assistant, user, user, { role: 'system', content: 'S' }, assistant];
    expect(read({ messages })).toEqual({ messages });
  });

  test('turns with the null fields of a table', () => {
    const padding = { tool_calls: null, name: null, weight: null };
    expect(
      whole({
        messages: [
          { ...user, ...padding },
          { ...assistant, ...padding },
        ],
      }),
    ).toMatchObject({
      messages: [user, assistant],
      learned: [undefined, undefined],
    });
    expect(read({ messages: [user, { ...assistant, tool_calls: [] }] })).toEqual({
      messages: [user, assistant],
    });
  });
});

describe('a call of a function', () => {
  const calls = [{ type: 'function', function: { name: 'f', arguments: { a: 1 } } }];
  const conversations = [
    { from: 'human', value: 'Hi' },
    { from: 'function_call', value: '{"name": "f", "arguments": {"a": 1}}' },
    { from: 'observation', value: '2' },
    { from: 'gpt', value: 'Hello' },
  ];
  const result = { role: 'tool', content: '2' };

  test('is read from a text, if the template writes calls', () => {
    const turn = { role: 'assistant', content: null, tool_calls: calls };
    expect(read({ conversations })).toEqual({ messages: [user, turn, result, assistant] });
  });

  test('stays text for a template that writes none, and where a role is given for it', () => {
    const turn = { role: 'assistant', content: '{"name": "f", "arguments": {"a": 1}}' };
    const messages = [user, turn, result, assistant];
    expect(read({ conversations }, { writesCalls: () => false })).toEqual({ messages });
    const fields = { roles: { function_call: 'assistant' } };
    expect(read({ conversations }, { fields })).toEqual({ messages });
  });

  test('has no text beside it, or null, as the data says', () => {
    const call = { role: 'assistant', tool_calls: calls };
    const messages = [user, call, { ...call, content: null }, { ...call, content: 'So' }];
    expect(read({ messages })).toEqual({ messages });
  });

  test('is read from OpenAI’s older field', () => {
    const turn = { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{"a":1}' } };
    expect(read({ messages: [user, turn, { role: 'function', content: '2' }] })).toEqual({
      messages: [
        user,
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
        result,
      ],
    });
  });
});

test.each([
  [{ weight: 0 }, false],
  [{ weight: 1 }, undefined],
  [{ train: false }, false],
  [{ train: true }, true],
  [{ weight: null }, undefined],
  [{ taught: false }, false],
])('a turn with %j is learned: %s', (flag, learned) => {
  const fields = { roles: {}, train: 'taught' };
  expect(whole({ messages: [user, { ...assistant, ...flag }] }, { fields })).toMatchObject({
    messages: [user, assistant],
    learned: [undefined, learned],
  });
});

test.each([
  [{ messages: [] }, 'its field `messages` is an empty list, where a list of turns belongs'],
  [{ messages: 'Hi' }, 'its field `messages` is not a list, where a list of turns belongs'],
  [{ messages: ['Hi'] }, 'messages[0] is not an object'],
  [{ messages: [{ content: 'Hi' }] }, 'messages[0] has no `role`'],
  [{ messages: [user, { role: 'assistant' }] }, 'messages[1] has no `content`'],
  [
    { messages: [user, { role: 'assistant', content: null, tool_calls: [] }] },
    'messages[1] has no `content`',
  ],
  [{ messages: [{ role: 'user', content: { text: 'Hi' } }] }, '`content` of messages[0] is not text'],
  [
    { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
    '`content` of messages[0] has a part of the type "image_url"',
  ],
  [{ messages: [user, { role: 'assistant', content: ' ' }] }, 'turn 2 (assistant) has no text'],
  [{ messages: [user, { ...assistant, weight: 0.5 }] }, '`weight` of messages[1] is 0.5'],
  [
    { messages: [user, { role: 'asistant', content: 'x' }] },
    'messages[1] has the role `asistant`, which is not one of system, developer, user, assistant, tool',
  ],
  [{ messages: [{ role: 'system', content: 'x' }] }, 'its conversation has no question'],
  [{ messages: [user], tools: 'sword' }, 'its field `tools` is not a list of tools'],
  [{ instruction: 'a', history: [['b']] }, 'its field `history` is not a list of pairs'],
  [{ output: 'x' }, 'it has no field `instruction`'],
] as [JsonObject, string][])('%j is refused', (row, message) => {
  expect(() => read(row)).toThrow(message);
});
