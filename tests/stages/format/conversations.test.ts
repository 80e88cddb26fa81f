import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { makeExample } from '../../../src/stages/collate/make-example.ts';
import * as format from '../../../src/stages/format/run-format.ts';
import { promptOf } from '../../../src/stages/generate/prompt.ts';
import { tokenizeRecord } from '../../../src/stages/tokenize/run-tokenize.ts';
import { openChatTemplate } from '../../../src/text/chat/open-chat-template.ts';
import { type DataRecord, parseFormattedRecord } from '../../../src/text/records.ts';
import { copyTokenizer, openTokenizer } from '../../../src/text/tokenizer/open-tokenizer.ts';
import { openStageRig } from '../stage-rig.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/text/chat/${name}`, import.meta.url));
const { templates, cases } = JSON.parse(await readFile(fixture('conversations.json'), 'utf8')) as {
  templates: Record<string, string>;
  cases: readonly { name: string; template: string; row: JsonObject; text: string; learned: string[] }[];
};

const defaults = {
  template: 'chat',
  apply_chat_template: false,
  train_on_roles: ['assistant'],
  train_on_turns: 'all',
  train_on_reasoning: true,
  conversation: { roles: {} },
  ignore: [],
  expect: { everything_shown: false },
};

interface Written {
  readonly text: string;
  /** The runs of tokens that are learned with `train_on: response`. */
  readonly learned: readonly string[];
  /** The same with `train_on: all`. */
  readonly learnedOfAll: readonly string[];
  /** What generate gives a model, and what it expects of it. */
  readonly prompt: string;
  readonly expected: string;
  readonly warnings: readonly string[];
}

/** Writes a row with a chat template, or several by their names, and tokenizes and collates it. */
async function write(
  row: JsonObject,
  template: string | Readonly<Record<string, string>>,
  config: JsonObject = {},
): Promise<Written> {
  await using rig = await openStageRig();
  const folder = rig.path('tokenizer');
  await mkdir(folder);
  await copyFile(fixture('tokenizer.json'), `${folder}/tokenizer.json`);
  const chat_template =
    typeof template === 'string'
      ? template
      : Object.entries(template).map(([name, source]) => ({ name, template: source }));
  const settings = { eos_token: '<|endoftext|>', chat_template };
  await writeFile(`${folder}/tokenizer_config.json`, JSON.stringify(settings));
  await rig.writeRecords('in', [{ id: 'a', ...row }]);
  const inputs = { records: 'in', tokenizer: 'tokenizer' };
  await rig.run(format, { config: { ...defaults, ...config }, inputs, outputs: { records: 'out' } });
  const [written] = (await rig.readRecords('out')) as DataRecord[];
  const record = parseFormattedRecord(written as DataRecord);
  const tokenizer = await openTokenizer(folder);
  const tokenized = tokenizeRecord(record, tokenizer);
  const learned = (trainOn: 'all' | 'response') => {
    const options = { trainOn, endOfText: tokenizer.endOfText, maxLength: 1000 };
    const runs: number[][] = [];
    let before = -100;
    for (const target of makeExample(tokenized, options).targets) {
      if (target !== -100) {
        if (before === -100) runs.push([]);
        runs.at(-1)?.push(target);
      }
      before = target;
    }
    return runs.map((run) => tokenizer.decode(run));
  };
  const { text: prompt, expected } = promptOf(record, 'prompt');
  return {
    text: record.segments.map(({ text }) => text).join(''),
    learned: learned('response'),
    learnedOfAll: learned('all'),
    prompt,
    expected,
    warnings: rig.reports.flatMap((report) =>
      report.type === 'note' && report.level === 'warning' ? report.message : [],
    ),
  };
}

test.each(cases)('$name: the text and what is learned of it are those of transformers', async (one) => {
  const { text, learned } = await write(one.row, templates[one.template] ?? '');
  expect({ text, learned }).toEqual({ text: one.text, learned: one.learned });
});

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string | null, more: JsonObject = {}) => ({
  role: 'assistant',
  content,
  ...more,
});
const talk = [user('Hi'), assistant('Hello.'), user('And?'), assistant('Bye.')];
const plain = templates.plain ?? '';

test('a call is learned to its end by a template that begins the last turn of a conversation with more', async () => {
  const begun = (templates.tools ?? '').replace(
    '{% if m.tool_calls %}',
    "{% if m.role == 'assistant' and loop.last %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% if m.tool_calls %}{{ m.content or '' }}",
  );
  const call = (port: string) => ({ tool_calls: [{ function: { name: 'tide', arguments: { port } } }] });
  const result = { role: 'tool', content: '4 m' };
  const messages = [
    user('Tide?'),
    assistant(null, call('Brest')),
    result,
    assistant('Again: ', call('Brest')),
    result,
    assistant('4 m.'),
  ];
  expect(await write({ messages }, begun)).toMatchObject({
    learned: [
      'tide {"port": "Brest"}<|im_end|>',
      'Again: tide {"port": "Brest"}<|im_end|>',
      '<think>\n\n</think>\n\n4 m.<|im_end|>',
    ],
    warnings: [],
  });
});

test('a call ends before the header of the next turn, whatever the template writes after the last', async () => {
  const always = (templates.tools ?? '').replace('{% if add_generation_prompt %}', '{% if true %}');
  const repeats = (templates.tools ?? '').replace(
    '{% else %}{{ m.content }}',
    "{% else %}{{ ('response:' + messages[1].tool_calls[0].function.name + ' ' if m.role == 'tool' else '') + m.content }}",
  );
  const messages = [
    user('Tide?'),
    assistant(null, { tool_calls: [{ function: { name: 'tide', arguments: {} } }] }),
    { role: 'tool', content: '4 m' },
    assistant('4 m.'),
  ];
  for (const template of [always, repeats])
    expect((await write({ messages }, template)).learned).toEqual(['tide {}<|im_end|>', '4 m.<|im_end|>']);
});

test('a call of the older protocol is an error where the template writes none', async () => {
  const messages = [user('Tide?'), assistant(null, { function_call: { name: 'tide', arguments: '{}' } })];
  await expect(write({ messages }, plain)).rejects.toMatchObject({
    records: [{ problem: expect.stringContaining('does not write the tool calls of turn 2') }],
  });
});

describe('a turn that the data says is not learned', () => {
  const messages = [talk[0], { ...talk[1], weight: 0 }, talk[2], { ...talk[3], weight: 1 }] as JsonObject[];

  test('is not learned with `train_on: all` either', async () => {
    expect(await write({ messages }, plain)).toMatchObject({
      learned: ['Bye.<|im_end|>'],
      learnedOfAll: [
        'user\nHi<|im_end|>\n<|im_start|>assistant\n',
        '\n<|im_start|>user\nAnd?<|im_end|>\n<|im_start|>assistant\nBye.<|im_end|>\n',
      ],
    });
  });

  test('is not learned where the template marks answers', async () => {
    for (const name of ['early mark', 'late mark']) {
      const { learned } = await write({ messages }, templates[name] ?? '');
      expect(learned.join('')).toMatch(/^\n?Bye\.<\|im_end\|>\n/);
    }
  });

  test('may be the last, for which a prompt is made as for any', async () => {
    const last = [talk[0], { ...talk[1], train: false }] as JsonObject[];
    expect(await write({ messages: last }, plain)).toMatchObject({
      learned: [],
      prompt: '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n',
    });
  });
});

test('a turn of any role is learned where the data says `train: true`', async () => {
  const messages = [{ ...user('Hi'), train: true }, assistant('Hello.')];
  const { learned } = await write({ messages }, plain);
  expect(learned).toEqual(['user\nHi<|im_end|>', 'Hello.<|im_end|>']);
});

describe('the prompt for an answer', () => {
  test('is what the template writes as one, even if the answer has its end or lacks it', async () => {
    const messages = talk.slice(0, 2);
    const asked = '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n';
    expect(await write({ messages }, templates['early mark'] ?? '')).toMatchObject({
      prompt: asked,
      expected: 'Hello.',
    });
    expect(await write({ messages }, templates['begun thought'] ?? '')).toMatchObject({
      text: `<|im_start|>user\nHi<|im_end|><|im_start|>assistant\nHello.<|im_end|>`,
      learned: ['Hello.<|im_end|>'],
      prompt: '<|im_start|>user\nHi<|im_end|><|im_start|>assistant\n<think>\n',
      expected: 'Hello.',
    });
  });
});

describe('reasoning', () => {
  const thinking = templates.thinking ?? '';

  test('is read and not learned with `train_on_reasoning: false`, with its tags', async () => {
    const rows = [
      [user('Hi'), assistant('Hello.', { reasoning_content: 'short' })],
      [user('Hi'), assistant('<think>\nshort\n</think>\n\nHello.')],
    ];
    for (const messages of rows) {
      expect(await write({ messages }, thinking, { train_on_reasoning: false })).toMatchObject({
        text: '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n<think>\nshort\n</think>\n\nHello.<|im_end|>\n',
        learned: ['Hello.<|im_end|>'],
        warnings: [],
      });
    }
  });

  test('that the template drops is counted', async () => {
    const messages = [user('Hi'), assistant('Hello.', { reasoning: 'short' }), ...talk.slice(2)];
    expect(await write({ messages }, thinking)).toMatchObject({
      learned: ['Hello.<|im_end|>', '<think>\n\n</think>\n\nBye.<|im_end|>'],
      warnings: [
        '1 of 1 records: the template does not write the reasoning of a turn (assistant); if that is meant, say `ignore: [reasoning]`',
      ],
    });
    const inContent = [user('Hi'), assistant('<think>short</think>Hello.'), ...talk.slice(2)];
    const { warnings } = await write({ messages: inContent }, thinking, { ignore: ['reasoning'] });
    expect(warnings).toEqual([]);
  });
});

describe('a tokenizer with several templates', () => {
  const named = { default: plain, tool_use: templates.tools ?? '', rag: `R${plain}` };
  const tools = [{ type: 'function', function: { name: 'f' } }];

  test('uses `tool_use` for conversations with tools, and the default for all others', async () => {
    const messages = talk.slice(0, 2);
    expect((await write({ messages, tools }, named)).text).toMatch(/^<\|im_start\|>tools\n/);
    expect((await write({ messages, tools: [] }, named)).text).toMatch(/^<\|im_start\|>user\n/);
  });

  test('may have them in a folder of files, which the tokenizer takes along', async () => {
    await using rig = await openStageRig();
    await mkdir(rig.path('from/additional_chat_templates'), { recursive: true });
    await mkdir(rig.path('to'));
    await copyFile(fixture('tokenizer.json'), rig.path('from/tokenizer.json'));
    await rig.write('from/tokenizer_config.json', JSON.stringify({ chat_template: 'old' }));
    await rig.write('from/chat_template.jinja', 'D{{ messages[0].content }}');
    await rig.write('from/additional_chat_templates/tool_use.jinja', 'T{{ messages[0].content }}');
    await copyTokenizer({ from: rig.path('from'), to: rig.path('to') });
    const templateFor = await openChatTemplate({ folder: rig.path('to') });
    const written = (hasTools: boolean) =>
      templateFor(hasTools).write({ messages: [user('Hi')], addGenerationPrompt: false }).text;
    expect([written(false), written(true)]).toEqual(['DHi', 'THi']);
  });

  test('uses the one that is named, and says which there are for a name that it lacks', async () => {
    const row = { messages: talk };
    expect((await write(row, named, { template: { chat: 'rag' } })).text).toMatch(/^R<\|im_start\|>user\n/);
    await expect(write(row, named, { template: { chat: 'rags' } })).rejects.toMatchObject({
      message: 'there is no chat template `rags`',
      help: 'name one of chatml, llama3, phi3, mistral, default, tool_use, rag (the last are the tokenizer’s), or write a source in Jinja',
    });
    const { default: _, ...others } = named;
    await expect(write(row, others)).rejects.toMatchObject({
      records: [
        { problem: 'the tokenizer has several chat templates and none is the default: tool_use, rag' },
      ],
    });
  });
});

const call = { function: { name: 'tide', arguments: { port: 'Brest', day: 3 } } };
const calling = {
  messages: [
    user('Tide in Brest?'),
    assistant(null, { tool_calls: [call] }),
    { role: 'tool', content: '4 m' },
    assistant('4 m.'),
  ],
};

describe('what a row says and the text does not show', () => {
  test.each([
    [
      'a field of a turn',
      { messages: [{ ...user('Hi'), mood: 'bad' }, talk[1]] },
      plain,
      'the template does not use the field `mood` of a turn; if that is meant, say `ignore: [mood]`',
    ],
    [
      'tools',
      { messages: talk, tools: [{ function: { name: 'tide' } }] },
      plain,
      'the template does not write all of `tools`; if that is meant, say `ignore: [tools]`',
    ],
    [
      'a turn',
      { messages: [{ role: 'system', content: 'S' }, ...talk] },
      `{% set messages = messages[1:] %}${plain}`,
      'the template does not write the text of a turn (system); if that is meant, say `ignore: [content]`',
    ],
    [
      'a turn as it is',
      { messages: [user('Ask\n\nme'), talk[1]] },
      plain.replace('m.content', "(m.content | replace('\\n', ' '))"),
      'the template writes the text of a turn differently (user); if that is meant, say `ignore: [content]`',
    ],
    [
      'a call beside an answer',
      { messages: [talk[0], { ...talk[1], tool_calls: [call] }] },
      plain,
      'the template does not write a tool call; if that is meant, say `ignore: [tool_calls]`',
    ],
    [
      'an argument',
      { messages: [...calling.messages] },
      (templates.tools ?? '').replace('c.function.arguments | tojson', 'c.function.arguments.port'),
      'the template does not write a tool call; if that is meant, say `ignore: [tool_calls]`',
    ],
    [
      'a variable',
      { messages: talk, chat_template_kwargs: { mood: 'bad' } },
      plain,
      'the template does not use the variable `mood`; if that is meant, say `ignore: [mood]`',
    ],
  ] as [string, JsonObject, string, string][])('%s is counted', async (_, row, template, warning) => {
    expect((await write(row, template)).warnings).toEqual([`1 of 1 records: ${warning}`]);
    await expect(write(row, template, { expect: { everything_shown: true } })).rejects.toMatchObject({
      code: 'expectation-failed',
      records: [{ id: 'a', problem: warning.replace(/; if that is meant.*/, '') }],
    });
  });

  test('is counted for each field of the row', async () => {
    const row = { messages: talk, source: 'web', images: ['a.png'], none: null };
    expect((await write(row, plain)).warnings).toEqual([
      '1 of 1 records have fields that the template does not use: `source` (1), `images` (1); if that is meant, say `ignore: [source, images]`',
    ]);
    await expect(write(row, plain, { expect: { everything_shown: true } })).rejects.toMatchObject({
      records: [
        {
          problem:
            'the template does not use the field `source`; the template does not use the field `images`',
        },
      ],
    });
  });

  test('is an error where nothing of a turn to learn is shown', async () => {
    await expect(write(calling, plain.replace('m.content', "(m.content or '')"))).rejects.toMatchObject({
      code: 'unshown-answer',
      records: [
        {
          problem:
            'the chat template does not write the tool calls of turn 2 (assistant), which is to be learned',
        },
      ],
    });
  });

  test('is nothing in a row that is written whole', async () => {
    const rows: JsonObject[] = [
      { ...calling, tools: [{ type: 'function', function: { name: 'tide', description: 'Height' } }] },
      { messages: talk.map((turn) => ({ ...turn, weight: 1, name: null })) },
    ];
    for (const row of rows) expect((await write(row, templates.tools ?? '')).warnings).toEqual([]);
  });

  test('is a field that no template of one’s own reads', async () => {
    const template = { prompt: '{{ instruction }}', header: '\n', response: '{{ output }}' };
    const row = { instruction: 'I', output: 'O', history: [['a', 'b']], input: '' };
    expect((await write(row, plain, { template })).warnings).toEqual([
      '1 of 1 records have fields that the template does not use: `history` (1); if that is meant, say `ignore: [history]`',
    ]);
    expect((await write(row, plain, { template: 'alpaca' })).warnings).toHaveLength(1);
    expect((await write(row, plain, { template, ignore: ['history'] })).warnings).toEqual([]);
  });
});
