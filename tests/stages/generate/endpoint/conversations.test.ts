import { mkdir, rm } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Json, JsonObject } from '../../../../src/core/json.ts';
import { fillDefaults } from '../../../../src/runtime/config/schema/applicable-schemas.ts';
import { formatStage } from '../../../../src/stages/format/format-stage.ts';
import * as format from '../../../../src/stages/format/run-format.ts';
import { generateStage } from '../../../../src/stages/generate/generate-stage.ts';
import * as generate from '../../../../src/stages/generate/run-generate.ts';
import { openStageRig, type StageRig } from '../../stage-rig.ts';
import { openEndpoint, say } from './loopback-endpoint.ts';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const system = (content: string) => ({ role: 'system', content });

/** Formats the rows, lets the endpoint answer them, and returns its requests and the responses. */
async function ask(rig: StageRig, { rows, config }: { rows: readonly Json[]; config: JsonObject }) {
  await using endpoint = await openEndpoint((received, response) => say(response, `to ${received.prompt}`));
  await rig.writeRecords('rows', rows);
  await rig.run(format, {
    config: fillDefaults(formatStage.schema, config),
    inputs: { records: 'rows' },
    outputs: { records: 'formatted' },
  });
  await mkdir(rig.path('model'), { recursive: true });
  await rig.write('model/endpoint.json', '{"provider":"openai","model":"tiny"}');
  await rig.run(generate, {
    config: fillDefaults(generateStage.schema, {
      endpoint: { base_url: endpoint.baseUrl, concurrency: 1, retries: 0 },
    }),
    inputs: { model: 'model', prompts: 'formatted' },
    outputs: { responses: 'responses' },
  });
  const responses = (await rig.readRecords('responses')) as JsonObject[];
  return {
    asked: endpoint.received.map(({ body: { messages, tools } }) => (tools ? { messages, tools } : messages)),
    answers: responses.map(({ response, expected }) => [response, expected]),
  };
}

test('a conversation is asked in its turns, without the answer that it ends with', async () => {
  await using rig = await openStageRig();
  const talk = [system('Be brief.'), user('One?'), assistant('1'), user('Two?')];
  const tools = [{ type: 'function', function: { name: 'count', parameters: {} } }];
  const rows = [
    { id: 'talk', messages: [...talk, assistant('2')] },
    { id: 'open', messages: [user('Three?')], tools },
    { id: 'shared', conversations: [{ from: 'human', value: 'Four?' }] },
    { id: 'row', instruction: 'Add.', input: '2 2', output: '4' },
  ];
  const config = { template: { chat: 'chatml' }, system: 'Help.' };
  expect(await ask(rig, { rows, config })).toEqual({
    asked: [
      talk,
      { messages: [system('Help.'), user('Three?')], tools },
      [system('Help.'), user('Four?')],
      [system('Help.'), user('Add.\n2 2')],
    ],
    answers: [
      ['to Two?', '2'],
      ['to Three?', ''],
      ['to Four?', ''],
      ['to Add.\n2 2', '4'],
    ],
  });
});

test('what differs in its turns is asked apart, what is the same is asked once', async () => {
  await using rig = await openStageRig();
  const ids = ['a', 'b', 'c'];
  const rows = ids.map((id) => ({ id, messages: [user(id === 'c' ? 'Other?' : 'Same?')] }));
  const source = '{% for message in messages %}{{ message.role }}{% endfor %}';
  const { asked, answers } = await ask(rig, { rows, config: { template: { chat: source } } });
  expect([asked, answers.map(([response]) => response)]).toEqual([
    [[user('Same?')], [user('Other?')]],
    ['to Same?', 'to Same?', 'to Other?'],
  ]);
});

test('a text that an instruction template wrote stays one message of a user', async () => {
  await using rig = await openStageRig();
  const rows = [{ id: 'a', text: 'Once upon' }];
  const config = { template: { prompt: 'Go on: {{ text }}' } };
  expect((await ask(rig, { rows, config })).asked).toEqual([[user('Go on: Once upon')]]);
});

test('a text that spells a conversation out is not answered with what was remembered for the conversation', async () => {
  await using rig = await openStageRig();
  const messages = [user('One?')];
  const spelled = JSON.stringify(['turns', JSON.stringify({ messages })]);
  const asked: unknown[] = [];
  for (const [rows, config] of [
    [[{ id: 'a', messages }], { template: { chat: 'chatml' } }],
    [[{ id: 'a', text: spelled }], { template: { prompt: '{{ text }}' } }],
    [[{ id: 'a', text: `turns:${JSON.stringify({ messages })}` }], { template: { prompt: '{{ text }}' } }],
  ] as const) {
    for (const name of ['formatted', 'responses']) await rm(rig.path(name), { force: true });
    asked.push((await ask(rig, { rows: [...rows], config })).asked.length);
  }
  expect(asked).toEqual([1, 1, 1]);
});
