import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { JsonObject } from '../../../src/core/json.ts';
import { makeExample } from '../../../src/stages/collate/make-example.ts';
import * as format from '../../../src/stages/format/run-format.ts';
import { tokenizeRecord } from '../../../src/stages/tokenize/run-tokenize.ts';
import { openEncoding, openTokenizer } from '../../../src/text/index.ts';
import { type DataRecord, parseFormattedRecord } from '../../../src/text/records.ts';
import { openStageRig } from '../stage-rig.ts';

const defaults = {
  apply_chat_template: false,
  train_on_roles: ['assistant'],
  train_on_turns: 'all',
  train_on_reasoning: true,
  conversation: { roles: {} },
  ignore: [],
  expect: { everything_shown: false },
};
const messages = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello.' },
  { role: 'user', content: 'And?' },
  { role: 'assistant', content: 'Bye.' },
];

/** What is learned with GPT-2's tokenizer, which has the special token `<|endoftext|>` alone. */
async function learned(chat: string) {
  await using rig = await openStageRig();
  await rig.writeRecords('in', [{ id: 'a', messages }]);
  const config = { ...defaults, template: { chat } };
  await rig.run(format, { config, inputs: { records: 'in' }, outputs: { records: 'out' } });
  const [written] = (await rig.readRecords('out')) as DataRecord[];
  const record = parseFormattedRecord(written as DataRecord);
  const tokenizer = await openEncoding('r50k_base');
  const { targets } = makeExample(tokenizeRecord(record, tokenizer), {
    trainOn: 'response',
    endOfText: tokenizer.endOfText,
    maxLength: 1000,
  });
  return {
    end: record.chat?.end,
    // A token that also begins the next turn, such as `><`, is learned as part of the end.
    learned: [...targets]
      .map((id) => (id === -100 ? '\n' : tokenizer.decode([id])))
      .join('')
      .split(/\n+/)
      .filter(Boolean)
      .map((run) => run.replace(/><$/, '>')),
    warnings: rig.reports.flatMap((report) =>
      report.type === 'note' && report.level === 'warning' ? report.message : [],
    ),
  };
}

test.each([
  ['chatml', '<|im_end|>'],
  ['llama3', '<|eot_id|>'],
  ['phi3', '<|end|>'],
  [
    "{% for m in messages %}{{ m.role ~ ':\n' ~ m.content ~ ' </s>\n' }}{% endfor %}{% if add_generation_prompt %}{{ 'assistant:\n' }}{% endif %}",
    '</s>',
  ],
])('the text with which %s ends an answer is learned where it is no special token', async (chat, end) => {
  const written = await learned(chat);
  const space = end === '</s>' ? ' ' : '';
  expect(written).toEqual({
    end,
    learned: [`Hello.${space}${end}`, `Bye.${space}${end}`],
    warnings: [expect.stringContaining(`1 of 1 records: the template ends answers with \`${end}\``)],
  });
});

test('after the last answer of a template without ends comes the end of the text, and the others are reported', async () => {
  const chat =
    "{% for m in messages %}{{ '### ' ~ m.role ~ ':\n' ~ m.content ~ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '### assistant:\n' }}{% endif %}";
  expect(await learned(chat)).toEqual({
    end: undefined,
    learned: ['Hello.', 'Bye.<|endoftext|>'],
    warnings: ['1 of 1 records: the model does not learn where an answer ends: no end of it is learned'],
  });
});

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/text/chat/${name}`, import.meta.url));

/** Questions whose prompts, as a model reads them, have as many tokens. */
async function lengths(most: number, { config, tokenizer }: Record<'config' | 'tokenizer', JsonObject>) {
  await using rig = await openStageRig();
  const folder = rig.path('tokenizer');
  await mkdir(folder);
  await copyFile(fixture('tokenizer.json'), `${folder}/tokenizer.json`);
  await writeFile(`${folder}/tokenizer_config.json`, JSON.stringify(tokenizer));
  const row = (n: number) => ({ id: `${n}`, instruction: `Say ${n}`, output: `${n}` });
  await rig.writeRecords('in', [1, 2, 3, 4].map(row));
  const shots = { count: 3, pick: 'first', seed: 0, fit_tokens: most };
  await rig.run(format, {
    config: { ...defaults, template: 'alpaca', shots, ...config },
    inputs: { records: 'in', tokenizer: 'tokenizer' },
    outputs: { records: 'out' },
  });
  const own = await openTokenizer(folder);
  return ((await rig.readRecords('out')) as DataRecord[]).map(
    (record) => tokenizeRecord(parseFormattedRecord(record), own).tokens.length,
  );
}

test('`fit_tokens` counts the token that begins a text and what a chat template writes around it', async () => {
  const bos = { bos_token: '<|im_start|>', add_bos_token: true, eos_token: '<|endoftext|>' };
  const plain = { config: {}, tokenizer: bos };
  const [all = 0] = await lengths(10_000, plain);
  expect(await lengths(all, plain)).toEqual([all, all, all, all]);
  expect(Math.max(...(await lengths(all - 1, plain)))).toBeLessThan(all);

  const chat_template = `{{ bos_token }}{% for m in messages %}{{ m.role ~ '!' * 40 ~ m.content ~ '<|im_end|>' }}{% endfor %}`;
  const wrapped = { config: { apply_chat_template: true }, tokenizer: { ...bos, chat_template } };
  const [whole = 0] = await lengths(10_000, wrapped);
  expect(Math.max(...(await lengths(whole - 1, wrapped)))).toBeLessThan(whole);
});
