import { expect, test } from 'vitest';
import reference from '../../fixtures/stages/bos/bos.json' with { type: 'json' };
import { openModelRig } from './model-rig.ts';

const { text, tokenizers } = reference;
const tokenizer = tokenizers['a token that is not added'];
// By transformers, greedy: w11 w12 <s> w13 w11 w54 w24 w33
const written = tokenizer.greedy.map((id) => (id === 0 ? '<s>' : `w${id}`)).join(' ');
const record = (id: string, chat?: { readonly end?: string }) => ({
  id,
  segments: [{ role: 'prompt', text }],
  fields: {},
  ...(chat && { chat }),
});

test('an answer ends at the mark of its own prompt’s chat template, whatever the other prompts have', async () => {
  await using rig = await openModelRig(tokenizer);
  const records = [record('plain'), record('marked', { end: '<s>' }), record('other', { end: '<other>' })];
  const answers = await rig.generate(records, { max_new_tokens: 8 });
  expect(answers.map(({ response, finish_reason }) => [response, finish_reason])).toEqual([
    [written, 'length'],
    ['w11 w12', 'stop'],
    [written, 'length'],
  ]);
});

test('`stop_at_end: false` ends an answer at the end of text only', async () => {
  await using rig = await openModelRig(tokenizer);
  const [answer] = await rig.generate([record('marked', { end: '<s>' })], {
    max_new_tokens: 8,
    stop_at_end: false,
  });
  expect([answer?.response, answer?.finish_reason]).toEqual([written, 'length']);
});
