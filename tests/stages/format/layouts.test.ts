import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { stageSchemas } from '../../../src/generated/stage-schemas.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { formatStage } from '../../../src/stages/format/format-stage.ts';
import * as format from '../../../src/stages/format/run-format.ts';
import { openStageRig } from '../stage-rig.ts';

interface Written {
  readonly id: string;
  readonly conversation?: { readonly messages: readonly Json[] };
  readonly segments: readonly { readonly role: string; readonly text: string }[];
}

/** What format writes of the rows, and what it says; each conversation as `role: text` of the turns. */
async function written(rows: readonly JsonObject[], config: JsonObject = {}) {
  await using rig = await openStageRig();
  await rig.writeRecords(
    'in',
    rows.map((row, index) => ({ id: `r${index}`, ...row })),
  );
  const full = fillDefaults(stageSchemas.format.schema, { template: { chat: 'chatml' }, ...config });
  const measured = await rig.run(format, {
    config: full,
    inputs: { records: 'in' },
    outputs: { records: 'out' },
  });
  const records = (await rig.readRecords('out')) as unknown as Written[];
  const turns = (text: string) =>
    [...text.matchAll(/<\|im_start\|>(\w+)\n(.*?)<\|im_end\|>/gs)].map(
      ([, role, said]) => `${role}: ${said}`,
    );
  return {
    ids: records.map(({ id }) => id),
    turns: records.map(({ segments }) => turns(segments.map(({ text }) => text).join(''))),
    said: rig.reports.flatMap((report) =>
      report.type === 'note' && !report.message.includes('learned as text') ? report.message : [],
    ),
    measured,
    segments: records.map(({ segments }) => segments),
  };
}

const messages = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello' },
];
const turns = ['user: Hi', 'assistant: Hello'];

/** A row as each set publishes it -> the words for its layout. */
const sets: readonly (readonly [set: string, row: JsonObject, words: string])[] = [
  ['OpenAI', { messages }, "`messages`, OpenAI's layout"],
  ['messages as JSON text', { messages: JSON.stringify(messages) }, "`messages`, OpenAI's layout"],
  [
    'content in parts that are text',
    { messages: messages.map(({ role, content }) => ({ role, content: [{ type: 'text', text: content }] })) },
    "`messages`, OpenAI's layout",
  ],
  [
    'No Robots',
    { prompt: 'Hi', prompt_id: 'f3', messages, category: 'Chat' },
    "`messages`, OpenAI's layout, as No Robots has it",
  ],
  [
    'UltraChat 200k',
    { prompt: 'Hi', prompt_id: 'f3', messages },
    "`messages`, OpenAI's layout, as UltraChat has it",
  ],
  ['UltraChat', { data: ['Hi', 'Hello'] }, "`data`, UltraChat's list of texts"],
  [
    'ShareGPT',
    {
      conversations: [
        { from: 'human', value: 'Hi' },
        { from: 'gpt', value: 'Hello' },
      ],
    },
    "`conversations`, ShareGPT's layout",
  ],
  [
    'SlimOrca',
    {
      conversations: [
        { from: 'human', value: 'Hi', weight: 0 },
        { from: 'gpt', value: 'Hello', weight: 1 },
      ],
    },
    "`conversations`, ShareGPT's layout, as SlimOrca has it",
  ],
  [
    'OpenHermes',
    {
      ...{
        conversations: [
          { from: 'human', value: 'Hi' },
          { from: 'gpt', value: 'Hello' },
        ],
      },
      ...{
        source: 'airoboros2.2',
        category: 'orca',
        skip_prompt_formatting: true,
        avatarUrl: null,
        hash: '-2',
      },
    },
    "`conversations`, ShareGPT's layout, as OpenHermes has it",
  ],
  [
    'LIMA',
    { conversations: ['Hi', 'Hello'], source: 'stackexchange' },
    "`conversations`, ShareGPT's layout, as LIMA has it",
  ],
  ['TRL', { prompt: 'Hi', completion: 'Hello' }, '`prompt` and `completion`'],
  [
    'Alpaca',
    { instruction: 'Hi', input: '', output: 'Hello' },
    "`instruction`, `input` and `output`, Alpaca's layout",
  ],
  [
    'Dolly',
    { instruction: 'Hi', context: '', response: 'Hello', category: 'open_qa' },
    "`instruction`, `context` and `response`, Dolly's layout",
  ],
];

describe('a row of a known layout needs no mapping, and one line says which it was', () => {
  test.each(sets)('%s', async (_, row, words) => {
    const { turns: found, said, measured } = await written([row]);
    expect({ found, said, measured }).toEqual({
      found: [turns],
      said: [`read 1 of 1 records by ${words}`],
      measured: { layouts: { [words]: 1 } },
    });
  });

  test('rows of several layouts are counted each', async () => {
    const { said } = await written([{ messages }, { messages }, { prompt: 'Hi', completion: 'Hello' }]);
    expect(said).toEqual([
      "read 2 of 3 records by `messages`, OpenAI's layout; 1 of 3 records by `prompt` and `completion`",
    ]);
  });

  test('a field that is no part of a known set is still reported, and a prompt that says something else', async () => {
    const dolly = { instruction: 'Hi', context: 'C', response: 'Hello', category: 'x', mood: 'good' };
    expect((await written([dolly])).said.slice(1)).toEqual([
      expect.stringContaining('does not use: `mood` (1)'),
    ]);
    expect((await written([{ messages, prompt: 'Other', prompt_id: '1' }])).said.slice(1)).toEqual([
      expect.stringContaining('does not use: `prompt` (1)'),
    ]);
  });
});

test("Dolly's names are read by the templates of instructions too", async () => {
  const row = { instruction: 'Add.', context: '1 2', response: '3', category: 'math' };
  const usual = { instruction: 'Add.', input: '1 2', output: '3' };
  const dolly = await written([row], { template: 'alpaca' });
  expect(dolly.segments).toEqual((await written([usual], { template: 'alpaca' })).segments);
  expect(dolly.said).toEqual([
    "read 1 of 1 records by `instruction`, `context` and `response`, Dolly's layout",
  ]);
});

test('the template `completion` reads a text, or a prompt and what completes it', async () => {
  const rows = [{ text: 'All.' }, { prompt: 'Q:', completion: ' A' }];
  expect((await written(rows, { template: 'completion' })).segments).toEqual([
    [{ role: 'response', text: 'All.' }],
    [
      { role: 'prompt', text: 'Q:' },
      { role: 'response', text: ' A' },
    ],
  ]);
});

test('a row that fits two layouts is refused with both, and `shape` chooses', async () => {
  const row = { messages, instruction: 'Add.', output: '3' };
  await expect(written([row])).rejects.toMatchObject({
    code: 'ambiguous-row',
    help: 'say which one with `conversation: { shape: openai }`',
    records: [
      {
        id: 'r0',
        problem:
          "its fields fit 2 layouts: `openai` (`messages`, OpenAI's layout), `alpaca` (`instruction`, `input` and `output`, Alpaca's layout)",
      },
    ],
  });
  expect((await written([row], { conversation: { shape: 'alpaca' } })).turns).toEqual([
    ['user: Add.', 'assistant: 3'],
  ]);
});

const message = (id: string, parent: string | null, more: JsonObject = {}): JsonObject => ({
  ...{ message_id: id, parent_id: parent, message_tree_id: 't', lang: 'en', text: id },
  ...{ role: id.startsWith('q') ? 'prompter' : 'assistant', deleted: false, rank: null, ...more },
});
/** Two questions with a tree each; the replies of `q1` are ranked. */
const trees = [
  message('q1', null),
  message('a1', 'q1', { rank: 1 }),
  message('a2', 'q1', { rank: 0 }),
  message('q2', 'a2', { rank: 1 }),
  message('q3', 'a2', { rank: 0 }),
  message('a3', 'q3'),
  message('q4', 'a3'),
  message('a4', 'q1', { deleted: true }),
  message('q9', null),
];

describe("OpenAssistant's trees of messages", () => {
  test('become one conversation each, with the best-ranked replies, up to the last answer', async () => {
    const { ids, turns: found, said } = await written(trees);
    expect({ ids, found, said: said[0] }).toEqual({
      ids: ['r5'],
      found: [['user: q1', 'assistant: a2', 'user: q3', 'assistant: a3']],
      said: "2 trees of messages, OpenAssistant's layout, are 1 conversations, with the best-ranked reply each time; 5 messages are in none",
    });
  });

  test('become every branch with `branches: all`', async () => {
    const { turns: found } = await written(trees, { conversation: { branches: 'all' } });
    expect(found).toEqual([
      ['user: q1', 'assistant: a2', 'user: q3', 'assistant: a3'],
      ['user: q1', 'assistant: a2'],
      ['user: q1', 'assistant: a1'],
    ]);
  });

  test('are refused where a parent is missing, or a message is its own ancestor', async () => {
    await expect(written(trees.slice(1))).rejects.toMatchObject({
      code: 'bad-tree',
      message: '3 of 8 records are no messages of a tree',
      records: expect.arrayContaining([{ id: 'r0', problem: 'its parent q1 is not among the records' }]),
    });
    await expect(written([message('a1', 'a2'), message('a2', 'a1')])).rejects.toMatchObject({
      message: '2 of 2 messages are replies to themselves, through their parents',
    });
  });
});

test('ways to say where the conversation is exclude each other', () => {
  const problems = (conversation: JsonObject) =>
    formatStage
      .check?.(fillDefaults(stageSchemas.format.schema, { template: 'chat', conversation }))
      .map(({ pointer, code }) => `${pointer} ${code}`);
  expect(problems({ field: 'x', shape: 'openai' })).toEqual(['/conversation/shape unheeded-field']);
  expect(problems({ shape: 'openai', branches: 'all' })).toEqual(['/conversation/branches unheeded-field']);
});
