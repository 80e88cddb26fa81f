import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { stageSchemas } from '../../../src/generated/stage-schemas.ts';
import { fillDefaults } from '../../../src/runtime/config/schema/applicable-schemas.ts';
import { checkTemplate } from '../../../src/stages/format/format-stage.ts';
import { run } from '../../../src/stages/format/run-format.ts';
import { openStageRig } from '../stage-rig.ts';

const filled = (config: JsonObject) => fillDefaults(stageSchemas.format.schema, config);

interface Text {
  readonly role: string;
  readonly text: string;
}

/** Each record's texts as `role: text`, chosen and rejected, and what the stage reported. */
async function formatted(rows: readonly JsonObject[], config: JsonObject) {
  await using rig = await openStageRig();
  await rig.writeRecords(
    'rows',
    rows.map((row, index): Json => ({ id: `row-${index}`, ...row })),
  );
  await rig.run(
    { run },
    { config: filled(config), inputs: { records: 'rows' }, outputs: { records: 'out' } },
  );
  const records = (await rig.readRecords('out')) as unknown as {
    segments: Text[];
    preference: { rejected?: Text[]; desirable?: boolean };
  }[];
  const shown = (segments: readonly Text[]) => segments.map(({ role, text }) => `${role}: ${text}`);
  return {
    records: records.map(({ segments, preference }) => ({
      chosen: shown(segments),
      ...(preference.rejected === undefined
        ? { desirable: preference.desirable }
        : { rejected: shown(preference.rejected) }),
    })),
    notes: rig.reports.map((report) => (report.type === 'note' ? report.message : '')),
  };
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const chat = {
  template: {
    chat: '{% for m in messages %}<{{ m.role }}>{{ m.content }};{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}',
  },
};

/** What the chat template above writes of a question with two answers. */
const asked = {
  chosen: ['prompt: <user>Why?;<assistant>', 'response: Good', 'end_text: ;'],
  rejected: ['prompt: <user>Why?;<assistant>', 'response: Bad', 'end_text: ;'],
};

test.each<[layout: string, row: JsonObject]>([
  ['texts with their prompt (TRL)', { prompt: 'Why?', chosen: 'Good', rejected: 'Bad' }],
  [
    'turns with their prompt (TRL)',
    { prompt: [user('Why?')], chosen: [assistant('Good')], rejected: [assistant('Bad')] },
  ],
  [
    'whole conversations (TRL)',
    { chosen: [user('Why?'), assistant('Good')], rejected: [user('Why?'), assistant('Bad')] },
  ],
  [
    'whole conversations with prompt, messages and scores (UltraFeedback)',
    {
      prompt: 'Why?',
      messages: [user('Why?'), assistant('Good')],
      chosen: [user('Why?'), assistant('Good')],
      rejected: [user('Why?'), assistant('Bad')],
      score_chosen: 8,
      score_rejected: 3.5,
    },
  ],
  [
    'a conversation and two turns (LLaMA-Factory, sharegpt)',
    {
      conversations: [{ from: 'human', value: 'Why?' }],
      chosen: { from: 'gpt', value: 'Good' },
      rejected: { from: 'gpt', value: 'Bad' },
    },
  ],
  [
    'an instruction and two texts (LLaMA-Factory, alpaca)',
    { instruction: 'Why?', input: '', chosen: 'Good', rejected: 'Bad' },
  ],
  [
    'turns whose last answer the pair replaces',
    { messages: [user('Why?'), assistant('Good')], chosen: 'Good', rejected: 'Bad' },
  ],
  [
    'JSON text',
    {
      chosen: JSON.stringify([user('Why?'), assistant('Good')]),
      rejected: JSON.stringify([user('Why?'), assistant('Bad')]),
    },
  ],
])('a chat template writes both answers of %s', async (_, row) => {
  expect(await formatted([row], { ...chat, preference: 'paired' })).toEqual({
    records: [asked],
    notes: [
      'read 1 of 1 records by `chosen` and `rejected`',
      expect.stringContaining('the template ends answers with `;`'),
    ],
  });
});

test("instruction templates write the book's rows, whose output is one of the answers", async () => {
  const row = { instruction: 'Do.', input: 'it', output: 'Rude.', chosen: 'Polite.', rejected: 'Rude.' };
  const prompt =
    'prompt: Below is an instruction that describes a task. Write a response that appropriately completes the request.' +
    '\n\n### Instruction:\nDo.\n\n### Input:\nit';
  const header = 'header: \n\n### Response:\n';
  expect(await formatted([row], { template: 'alpaca', preference: 'paired' })).toEqual({
    records: [
      { chosen: [prompt, header, 'response: Polite.'], rejected: [prompt, header, 'response: Rude.'] },
    ],
    notes: [],
  });
});

const written = { prompt: '{{ prompt }}', header: '', response: '{{ completion }}' };

test.each([
  ['completion', 'A B'],
  ['output', 'A B'],
  ['chosen', 'A B'],
])('a template of one’s own finds each answer in `%s`', async (name) => {
  const template = { ...written, response: `{{ ${name} }}` };
  const row = { prompt: 'P: ', chosen: 'A', rejected: 'B' };
  expect((await formatted([row], { template, preference: 'paired' })).records).toEqual([
    { chosen: ['prompt: P: ', 'response: A'], rejected: ['prompt: P: ', 'response: B'] },
  ]);
});

test('texts without a prompt share their beginning, without the space before the difference (TRL)', async () => {
  const row = { chosen: 'The sky is blue.', rejected: 'The sky is green.' };
  expect((await formatted([row], { template: written, preference: 'paired' })).records).toEqual([
    {
      chosen: ['prompt: The sky is', 'response:  blue.'],
      rejected: ['prompt: The sky is', 'response:  green.'],
    },
  ]);
});

test('with another text, which may be the prompt, answers stay whole; so do those that are JSON', async () => {
  const template = { prompt: '{{ question }}', header: '', response: '{{ chosen }}' };
  const rows = [
    { question: 'Which? ', chosen: 'The red one', rejected: 'The blue one' },
    { question: 'As JSON? ', chosen: '{"name": "Ann"}', rejected: '{"name": "Bob"}' },
  ];
  expect((await formatted(rows, { template, preference: 'paired' })).records).toEqual([
    {
      chosen: ['prompt: Which? ', 'response: The red one'],
      rejected: ['prompt: Which? ', 'response: The blue one'],
    },
    {
      chosen: ['prompt: As JSON? ', 'response: {"name": "Ann"}'],
      rejected: ['prompt: As JSON? ', 'response: {"name": "Bob"}'],
    },
  ]);
});

test('earlier answers, which both texts share, are read and not compared', async () => {
  const before = [user('A?'), assistant('A.'), user('B?')];
  const row = { chosen: [...before, assistant('Yes')], rejected: [...before, assistant('No')] };
  const prompt = ['prompt: <user>A?;<assistant>', 'masked: A.', 'masked: ;', 'prompt: <user>B?;<assistant>'];
  expect((await formatted([row], { ...chat, preference: 'paired' })).records).toEqual([
    {
      chosen: [...prompt, 'response: Yes', 'end_text: ;'],
      rejected: [...prompt, 'response: No', 'end_text: ;'],
    },
  ]);
});

test('fields of conversations have the names that the configuration says', async () => {
  const row = { dialogue: [{ speaker: 'customer', text: 'Why?' }], chosen: 'Good', rejected: 'Bad' };
  const conversation = { field: 'dialogue', role: 'speaker', content: 'text', roles: { customer: 'user' } };
  const { records } = await formatted([row], { ...chat, conversation, preference: 'paired' });
  expect(records).toEqual([asked]);
});

test('what a row says besides its two answers is counted', async () => {
  const rows = [
    { prompt: 'P', chosen: 'A', rejected: 'B', completion: 'C', source: 'web' },
    { prompt: 'P', chosen: 'A', rejected: 'B', score_chosen: 2, score_rejected: 2 },
  ];
  expect((await formatted(rows, { template: written, preference: 'paired' })).notes).toEqual([
    '1 of 2 records have fields that the template does not use: `source` (1); if that is meant, say `ignore: [source]`',
    '1 of 2 records: `completion` says something else than the two answers, which take its place; if that is meant, say `ignore: [completion]`',
    '1 of 2 records: `score_chosen` is equal to `score_rejected`; if that is meant, say `ignore: [score_chosen]`',
  ]);
});

test.each<[layout: string, row: JsonObject, config: JsonObject]>([
  ['a prompt and a completion (TRL)', { prompt: 'Why?', completion: 'Good', label: true }, chat],
  ['an alpaca row (LLaMA-Factory)', { instruction: 'Why?', output: 'Good', kto_tag: 1 }, chat],
  ['a conversation', { messages: [user('Why?'), assistant('Good')], label: true }, chat],
])('a labeled answer is %s', async (_, row, config) => {
  expect((await formatted([row], { ...config, preference: 'unpaired' })).records).toEqual([
    { chosen: asked.chosen, desirable: true },
  ]);
});

test('of a labeled conversation only the last answer counts', async () => {
  const row = { messages: [user('A?'), assistant('A.'), user('B?'), assistant('No')], label: false };
  expect((await formatted([row], { ...chat, preference: 'unpaired' })).records).toEqual([
    {
      chosen: [
        ...['prompt: <user>A?;<assistant>', 'masked: A.', 'masked: ;', 'prompt: <user>B?;<assistant>'],
        ...['response: No', 'end_text: ;'],
      ],
      desirable: false,
    },
  ]);
});

test.each<[what: string, row: JsonObject, config: JsonObject, problem: object]>([
  [
    'without an answer',
    { prompt: 'P', chosen: 'A' },
    { template: written, preference: 'paired' },
    { code: 'missing-field', records: [{ id: 'row-0', problem: 'it has no field `rejected`' }] },
  ],
  [
    'whose answers have two forms',
    { prompt: 'P', chosen: 'A', rejected: [assistant('B')] },
    { template: written, preference: 'paired' },
    { code: 'bad-preference' },
  ],
  [
    'whose conversations begin differently',
    { chosen: [user('A?'), assistant('A')], rejected: [user('B?'), assistant('B')] },
    { ...chat, preference: 'paired' },
    { code: 'bad-preference' },
  ],
  [
    'with a template that does not write the answers',
    { prompt: 'P', chosen: 'A', rejected: 'B' },
    { template: { prompt: '{{ prompt }}', header: '', response: 'fixed' }, preference: 'paired' },
    { code: 'answer-not-written' },
  ],
  [
    'without a label',
    { prompt: 'P', completion: 'A' },
    { template: written, preference: 'unpaired' },
    { code: 'missing-field', records: [{ id: 'row-0', problem: 'it has no `label`' }] },
  ],
  [
    'with a label that is neither true nor false',
    { prompt: 'P', completion: 'A', label: 'yes' },
    { template: written, preference: 'unpaired' },
    {
      code: 'bad-label',
      records: [{ id: 'row-0', problem: 'its `label` is "yes", which is neither true nor false' }],
    },
  ],
])('a row %s is refused', async (_, row, config, problem) => {
  await expect(formatted([row], config)).rejects.toMatchObject(problem);
});

test('preferences have no shots and no benchmark’s template', () => {
  const problems = (config: JsonObject) =>
    checkTemplate(filled({ ...config, preference: 'paired' }) as never).map(({ pointer }) => pointer);
  expect([
    problems({ template: 'alpaca', shots: { count: 1 } }),
    problems({ template: 'mmlu' }),
    problems({ template: 'alpaca' }),
  ]).toEqual([['/shots'], ['/template'], []]);
});
