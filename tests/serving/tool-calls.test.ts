import { describe, expect, test } from 'vitest';
import { callsIn, certainText, type ToolCallForm, toolCallForm } from '../../src/serving/tool-calls.ts';
import { openCliRig } from '../cli/rig.ts';
import { openServe } from './rig.ts';
import { writeScriptedModel } from './scripted-model.ts';

const tools = new Set(['weather', 'time']);
const call = '{"name": "weather", "arguments": {"city": "Lima"}}';
const read = { name: 'weather', arguments: '{"city":"Lima"}' };

describe('tool calls', () => {
  test.each<[ToolCallForm, string, string, readonly object[]]>([
    ['hermes', `<tool_call>\n${call}\n</tool_call>`, '', [read]],
    [
      'hermes',
      `Let me see.\n<tool_call>${call}</tool_call>\n<tool_call>{"name":"time","arguments":{}}</tool_call>`,
      'Let me see.',
      [read, { name: 'time', arguments: '{}' }],
    ],
    ['hermes', `<tool_call>${call}`, '', [read]],
    ['llama3', '{"name": "weather", "parameters": {"city": "Lima"}}', '', [read]],
    [
      'llama3',
      `<|python_tag|>${call}; {"name": "time", "parameters": {"zone": "a;b"}}`,
      '',
      [read, { name: 'time', arguments: '{"zone":"a;b"}' }],
    ],
    [
      'mistral',
      `[TOOL_CALLS] [${call}, {"name": "time", "arguments": "{\\"zone\\": 1}"}]`,
      '',
      [read, { name: 'time', arguments: '{"zone":1}' }],
    ],
    [
      'mistral',
      'Wait.[TOOL_CALLS]weather[ARGS]{"city": "Lima"}[TOOL_CALLS]time{}',
      'Wait.',
      [read, { name: 'time', arguments: '{}' }],
    ],
  ])('of %s are read: %s', (form, text, content, calls) => {
    expect(callsIn(text, form, tools)).toEqual({ content, calls });
  });

  test.each<[ToolCallForm, string]>([
    ['hermes', 'It is {"name": "weather"}.'],
    ['hermes', '<tool_call>{"name": "other", "arguments": {}}</tool_call>'],
    ['hermes', `<tool_call>${call}</tool_call><tool_call>{"name": </tool_call>`],
    ['hermes', '<tool_call>{"name": "weather", "arguments": [1]}</tool_call>'],
    ['llama3', '{"city": "Lima"}'],
    ['llama3', `Here: ${call}`],
    ['llama3', '{"name": "__proto__", "parameters": {}}'],
    ['mistral', '[TOOL_CALLS] soon'],
  ])('of %s stay text if they are not whole or call no tool that was given: %s', (form, text) => {
    expect(callsIn(text, form, tools)).toEqual({ content: text, calls: [] });
  });

  test('are held back from a stream as soon as they may begin', () => {
    const shown = (text: string, form: ToolCallForm) => text.slice(0, certainText(text, form));
    expect(shown('a < b', 'hermes')).toBe('a < b');
    expect(shown('Let me see. <tool', 'hermes')).toBe('Let me see.');
    expect(shown(`Yes.\n<tool_call>${call}`, 'hermes')).toBe('Yes.');
    expect(shown('  {"na', 'llama3')).toBe('');
    expect(shown('The {', 'llama3')).toBe('The {');
    expect(shown('x [TOOL', 'mistral')).toBe('x');
  });

  test('have the form that the template describes', () => {
    expect(toolCallForm('... <tool_call>\\n{\\"name\\": <function-name>} ...')).toBe('hermes');
    expect(toolCallForm('<tool_call>\\n<function=example>')).toBeUndefined();
    expect(toolCallForm("{{ '[TOOL_CALLS] [' }}")).toBe('mistral');
    expect(
      toolCallForm('{"name": function name, "parameters": dictionary of argument name and its value}'),
    ).toBe('llama3');
    expect(toolCallForm('{% for tool in tools %}{{ tool }}{% endfor %}')).toBeUndefined();
  });

  test('of a model come to the client as calls, whole and streamed, and the next turn shows them to the model', async () => {
    await using cli = await openCliRig({ 'package.json': '{}' });
    const weather = {
      type: 'function' as const,
      function: {
        name: 'weather',
        description: 'Weather of a city',
        parameters: { type: 'object', properties: { city: { type: 'string' } } },
      },
    };
    const asked = {
      ...{ model: 'model', temperature: 0, tools: [weather] },
      messages: [{ role: 'user' as const, content: 'Weather in Lima?' }],
    };
    await writeScriptedModel(`${cli.folder}/probe`, { script: 'a' });
    let prompt: number;
    {
      await using probe = await openServe(cli, ['probe', '--name', 'model']);
      const { usage } = await probe.client.chat.completions.create({ ...asked, max_tokens: 1 });
      prompt = usage?.prompt_tokens ?? 0;
    }
    await writeScriptedModel(`${cli.folder}/model`, {
      script: `Let me see.\n<tool_call>\n${call}\n</tool_call>`,
      at: prompt,
    });
    await using server = await openServe(cli, ['model']);
    const { choices } = await server.client.chat.completions.create(asked);
    const toolCall = { id: expect.stringMatching(/^call_[0-9a-f]{32}$/), type: 'function', function: read };
    expect(choices).toEqual([
      {
        ...{ index: 0, logprobs: null, finish_reason: 'tool_calls' },
        message: { role: 'assistant', content: 'Let me see.', refusal: null, tool_calls: [toolCall] },
      },
    ]);
    const chunks = [];
    for await (const { choices } of await server.client.chat.completions.create({ ...asked, stream: true }))
      chunks.push(...choices);
    const deltas = chunks.map(({ delta }) => delta);
    expect(deltas.map(({ content }) => content ?? '').join('')).toBe('Let me see.');
    expect(deltas.flatMap(({ tool_calls }) => tool_calls ?? [])).toEqual([{ index: 0, ...toolCall }]);
    expect(chunks.at(-1)?.finish_reason).toBe('tool_calls');
    const stream = server.client.chat.completions.stream(asked);
    expect((await stream.finalMessage()).tool_calls?.[0]).toEqual(toolCall);
    const message = choices[0]?.message;
    if (message === undefined) throw new Error('no answer');
    const next = await server.client.chat.completions.create({
      ...asked,
      messages: [
        ...asked.messages,
        message,
        { role: 'tool', tool_call_id: message.tool_calls?.[0]?.id ?? '', content: 'sunny' },
      ],
      max_tokens: 1,
    });
    expect(next.usage?.prompt_tokens).toBeGreaterThan(prompt + call.length);
    // Without tools, or with none to choose, the same answer is text.
    const { choices: text } = await server.client.chat.completions.create({
      ...asked,
      tool_choice: 'none',
      max_tokens: 4,
    });
    expect(text[0]?.message.tool_calls).toBeUndefined();
  });
});
