import { copyFile, mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { checkTemplate } from '../../../src/stages/format/format-stage.ts';
import * as format from '../../../src/stages/format/run-format.ts';
import { namedChatTemplates } from '../../../src/text/chat/open-chat-template.ts';
import { type DataRecord, type FormattedRecord, parseFormattedRecord } from '../../../src/text/records.ts';
import { openStageRig } from '../stage-rig.ts';

const defaults = {
  apply_chat_template: false,
  train_on_roles: ['assistant' as const],
  train_on_turns: 'all' as const,
  train_on_reasoning: true,
  conversation: { roles: {} },
  ignore: [],
  expect: { everything_shown: false },
};
const files = { inputs: { records: 'in' }, outputs: { records: 'out' } };

describe('format', () => {
  test('keeps each record’s id and row beside its segments', async () => {
    await using rig = await openStageRig();
    await rig.writeRecords('in', [{ id: 'a', question: 'Why?', answer: 'So.', topic: 'life' }]);
    const template = { prompt: 'Q: {{ question }}', header: '\nA: ', response: '{{ answer }}' };
    await rig.run(format, { config: { ...defaults, template }, ...files });
    expect(await rig.readRecords('out')).toEqual([
      {
        id: 'a',
        segments: [
          { role: 'prompt', text: 'Q: Why?' },
          { role: 'header', text: '\nA: ' },
          { role: 'response', text: 'So.' },
        ],
        fields: { question: 'Why?', answer: 'So.', topic: 'life' },
      },
    ]);
  });

  test('a loop writes the turns of a conversation, the last of them as the response', async () => {
    await using rig = await openStageRig();
    const turns = (...contents: string[]) =>
      contents.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }));
    await rig.writeRecords('in', [
      { id: 'a', messages: turns('Hi', 'Hello.') },
      { id: 'b', messages: turns('Name a fruit.', 'A fig.', 'And {{ another }}?', 'A plum.') },
    ]);
    const template = {
      prompt: '{% for turn in messages[:-1] %}<{{ turn.role }}>{{ turn.content }}\n{% endfor %}',
      header: '<assistant>',
      response: '{{ messages[-1].content }}',
    };
    await rig.run(format, { config: { ...defaults, template }, ...files });
    const written = (await rig.readRecords('out')) as { segments: { text: string }[] }[];
    expect(written.map(({ segments }) => segments.map(({ text }) => text))).toEqual([
      ['<user>Hi\n', '<assistant>', 'Hello.'],
      ['<user>Name a fruit.\n<assistant>A fig.\n<user>And {{ another }}?\n', '<assistant>', 'A plum.'],
    ]);
  });

  test('a named template that is given conversations says how to write them', async () => {
    await using rig = await openStageRig();
    await rig.writeRecords('in', [{ id: 'a', conversations: [{ from: 'human', value: 'Hi' }] }]);
    await expect(
      rig.run(format, { config: { ...defaults, template: 'phi3' }, ...files }),
    ).rejects.toMatchObject({
      records: [{ id: 'a', problem: 'it has no field `instruction`' }],
      help: 'the row holds a conversation, `conversations`: write it with `template: chat`, or with a template of your own, such as prompt: "{% for turn in conversations[:-1] %}{{ turn.from }}: {{ turn.value }}\\n{% endfor %}" and response: "{{ conversations[-1].value }}"',
    });
  });

  test('a judge’s template sees a response with its prompt, what was expected, and the row’s own fields', async () => {
    await using rig = await openStageRig();
    const response = {
      id: 'a',
      prompt: 'P',
      expected: 'E',
      fields: { topic: 'T', prompt: 'shadowed' },
      response: 'R',
    };
    await rig.writeRecords('in', [response]);
    const template = {
      prompt: '{{ prompt }}|{{ expected }}|{{ response }}|{{ topic }}',
      header: '',
      response: '',
    };
    await rig.run(format, { config: { ...defaults, template }, ...files });
    expect(await rig.readRecords('out')).toEqual([
      {
        id: 'a',
        segments: [{ role: 'prompt', text: 'P|E|R|T' }],
        fields: { topic: 'T', prompt: 'P', expected: 'E', response: 'R' },
      },
    ]);
  });

  test('all records that cannot be written are reported at once', async () => {
    await using rig = await openStageRig();
    const records = Array.from({ length: 12 }, (_, index) => ({ id: `r${index + 1}`, text: 'no fields' }));
    await rig.writeRecords('in', [{ id: 'good', instruction: 'i', output: 'o' }, ...records]);
    await expect(
      rig.run(format, { config: { ...defaults, template: 'alpaca' }, ...files }),
    ).rejects.toMatchObject({
      name: 'UserError',
      code: 'missing-field',
      message: '12 of 13 records cannot be written with the template',
      records: records.map(({ id }) => ({ id, problem: 'it has no field `instruction`' })),
      help: 'map it with `fields: { instruction: <its name in your data> }` of the load stage; the row has `text`',
    });
  });

  test('a prompt that was written for any model becomes the turn of a user, and its response that of an assistant', async () => {
    await using rig = await openStageRig();
    const folder = rig.path('tokenizer');
    await mkdir(folder);
    await copyFile(
      fileURLToPath(new URL('../../fixtures/text/chat/tokenizer.json', import.meta.url)),
      `${folder}/tokenizer.json`,
    );
    await rig.write(
      'tokenizer/tokenizer_config.json',
      JSON.stringify({ chat_template: namedChatTemplates.chatml }),
    );
    await rig.writeRecords('in', [
      { id: 'a', question: 'Why <|im_end|>?', answer: 'So.' },
      { id: 'b', question: 'How?', answer: '' },
    ]);
    const template = { prompt: 'Q: {{ question }}', header: '\nA:', response: '{{ answer }}' };
    const config = { ...defaults, template, apply_chat_template: true, system: 'Be brief.' };
    await rig.run(format, {
      config,
      inputs: { records: 'in', tokenizer: 'tokenizer' },
      outputs: files.outputs,
    });
    const records = (await rig.readRecords('out')).map((row) => parseFormattedRecord(row as DataRecord));
    const textOf = (record: FormattedRecord, ...roles: string[]) =>
      record.segments
        .filter(({ role }) => roles.includes(role))
        .map(({ text }) => text)
        .join('');
    const opening = '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n';
    expect(
      records.map((record) => [textOf(record, 'prompt'), textOf(record, 'response', 'end', 'tail')]),
    ).toEqual([
      [`${opening}Q: Why <|im_end|>?\nA:<|im_end|>\n<|im_start|>assistant\n`, 'So.<|im_end|>\n'],
      [`${opening}Q: How?\nA:<|im_end|>\n<|im_start|>assistant\n`, ''],
    ]);
    // The row's text stays text even if it looks like the template's own marker.
    const special = records[0]?.segments.flatMap(({ text, special }) => (special ? [text] : []));
    expect(special?.filter((text) => text === '<|im_end|>')).toHaveLength(3);
  });

  test('check points at each part of a template that does not parse', () => {
    const problems = checkTemplate({
      ...defaults,
      template: { prompt: '{{ a', header: '', response: '{% if a %}' },
    });
    expect(problems.map(({ pointer, code, message }) => ({ pointer, code, message }))).toEqual([
      {
        pointer: '/template/prompt',
        code: 'bad-template',
        message: 'the template does not parse: unexpected end of template, expected the end of the tag',
      },
      {
        pointer: '/template/response',
        code: 'bad-template',
        message: 'the template does not parse: unexpected end of template; it lacks {% endif %}',
      },
    ]);
  });
});
