import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { portCodecs } from '../../../src/stages/ports/port-codecs.ts';
import { namedTexts } from '../../../src/text/records.ts';
import reference from '../../fixtures/stages/bos/bos.json' with { type: 'json' };
import { openModelRig, start } from './model-rig.ts';

const { text, long, choices, tokenizers } = reference;

const record = (id: string, prompt: string, others: JsonObject = {}) => ({
  id,
  segments: prompt === '' ? [] : [{ role: 'prompt', text: prompt }],
  fields: {},
  ...others,
});
const whole = (id: string, response: string) => ({
  id,
  segments: [{ role: 'response', text: response }],
  fields: {},
});
const begin = { role: 'prompt', text: '<s>', special: true };

describe('a text begins as transformers and lm-evaluation-harness begin it', () => {
  test.each(Object.entries(tokenizers))('with %s', async (_, tokenizer) => {
    await using rig = await openModelRig(tokenizer);
    const { ids, greedy } = tokenizer;
    expect(await rig.tokenize([whole('a', text)])).toEqual([ids]);

    const [written] = await rig.generate([record('a', text)], { max_new_tokens: 8 });
    const words = greedy.map((id) => (id === start ? '<s>' : `w${id}`)).join(' ');
    expect(written?.response).toBe(words);

    const asked = [record('none', '', { choices }), record('some', `${text} `, { choices })];
    const scored = await rig.generate(asked, { mode: 'choices' });
    for (const [index, context] of (['', text] as const).entries()) {
      const found = scored[index]?.choices as readonly { log_likelihood: number }[];
      for (const [at, { log_likelihood: value }] of found.entries())
        expect(value).toBeCloseTo(Reflect.get(tokenizer.choices, context)[at], 4);
    }

    const rolled = await rig.generate([whole('a', text), whole('b', long)], { mode: 'rolling' });
    // One that adds the token begins a window with the same token as one that only names it.
    const rolling = tokenizer.rolling ?? tokenizers['a token that is not added'].rolling;
    for (const [at, value] of (rolling ?? []).entries())
      expect(rolled[at]?.log_likelihood).toBeCloseTo(value, 3);
    expect(rolled[0]?.log_likelihood).toBeCloseTo(tokenizer.whole, 4);
  });
});

describe('the token that begins a text', () => {
  const adding = tokenizers['a post-processor'];
  const naming = tokenizers['a token that is not added'];
  const plain = [3, 14];
  const prompt = { role: 'prompt', text: 'w3 w14' };

  test('is never there twice, and a chat template writes its own or none', async () => {
    await using rig = await openModelRig(adding);
    const chat = { segments: [prompt], chat: {}, fields: {} };
    const records = [
      { id: 'plain', segments: [prompt], fields: {} },
      { id: 'written', segments: [begin, prompt], fields: {} },
      { id: 'chat', ...chat },
      { id: 'chat that begins', ...chat, segments: [begin, prompt] },
    ];
    const begun = [start, ...plain];
    expect(await rig.tokenize(records)).toEqual([begun, begun, plain, begun]);
    expect(await rig.tokenize(records, { bos: 'always' })).toEqual([begun, begun, begun, begun]);
    expect(await rig.tokenize(records, { bos: 'never' })).toEqual([plain, begun, plain, begun]);
  });

  test('is what a text follows that is scored after nothing, unless `bos: never` makes that the end of text', async () => {
    await using rig = await openModelRig(naming);
    const scoreOf = async (config: JsonObject) =>
      (await rig.generate([whole('a', text)], config)).map(({ log_likelihood }) => Number(log_likelihood));
    expect((await scoreOf({ mode: 'rolling' }))[0]).toBeCloseTo(naming.whole, 4);
    expect((await scoreOf({ mode: 'rolling', bos: 'never' }))[0]).toBeCloseTo(
      tokenizers['no token'].whole,
      4,
    );
  });

  test('is part of the prompt, so that it is not learned and a sample begins after it', async () => {
    await using rig = await openModelRig(adding);
    await rig.tokenize([
      whole('a', 'w3 w14'),
      { id: 'b', segments: [prompt, { role: 'response', text: ' w15' }], fields: {} },
    ]);
    const tokens = await portCodecs.tokens.read(rig.path('out')).read();
    expect(namedTexts(tokens).map(({ segments }) => segments)).toEqual([
      [
        { role: 'prompt', end: 1 },
        { role: 'response', end: 3 },
      ],
      [
        { role: 'prompt', end: 3 },
        { role: 'response', end: 4 },
      ],
    ]);
  });

  test('has to exist for `bos: always`', async () => {
    await using rig = await openModelRig(tokenizers['no token']);
    await expect(rig.tokenize([whole('a', text)], { bos: 'always' })).rejects.toMatchObject({
      records: [{ id: 'a', problem: expect.stringContaining('the tokenizer names none') }],
    });
  });
});
