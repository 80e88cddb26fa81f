import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const tokenizerFile = join(import.meta.dirname, '../fixtures/text/chat/tokenizer.json');

const capitals = { France: 'Paris', Italy: 'Rome', Spain: 'Madrid' };
const rows = Object.entries(capitals).map(([country, capital]) => ({
  id: country,
  messages: [
    { role: 'user', content: `Capital of ${country}` },
    { role: 'assistant', content: capital },
  ],
}));

const pipeline = `name: p
stages:
  base: { uses: load, with: { init: { tokenizer: tok, context_length: 96, width: 64, layers: 2, heads: 4 } } }
  load: { with: { records: rows.json } }
  format: { from: { records: load, tokenizer: base.tokenizer }, with: { template: { chat: chatml } } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 3, max_length: 96, train_on: response } }
  train: { from: { model: base, train: collate }, with: { epochs: 60, optimizer: { learning_rate: 3.0e-3 } } }
  generate: { from: { model: train, prompts: format }, with: { max_new_tokens: 24 } }
`;

/** A tokenizer whose end of text is not what ends a turn, as that of many base models. */
test('a model that is tuned with a chat template ends its answers where the template does, everywhere', async () => {
  await using rig = await openCliRig({
    'package.json': '{}',
    'p.yaml': pipeline,
    'rows.json': JSON.stringify(rows),
    'tok/tokenizer_config.json': '{"eos_token":"<|endoftext|>"}',
  });
  const source = await readFile(tokenizerFile, 'utf8');
  const idOf = (name: string) =>
    JSON.parse(source).added_tokens.find(({ content }: { content: string }) => content === name)?.id;
  await writeFile(join(rig.folder, 'tok/tokenizer.json'), source);
  expect(await rig.tuneloom('run', 'p.yaml')).toMatchObject({ exitCode: 0 });
  const lines = async (path: string) =>
    (await readFile(join(rig.folder, 'artifacts/outputs/p', path), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));

  const answers = (await lines('generate/responses')).map((one) => [one.response, one.finish_reason]);
  expect(answers).toEqual(Object.values(capitals).map((capital) => [capital, 'stop']));

  const samples = (await lines('train/history')).filter(({ type }) => type === 'sample');
  expect(Object.values(capitals)).toContain(samples.at(-1).response.trim());

  const talk = rig.start('chat', 'p.yaml', 'train', '--json');
  talk.stdin?.end('Capital of Spain\n');
  expect(JSON.parse((await talk).stdout)).toMatchObject({ response: 'Madrid', finish_reason: 'stop' });

  expect(await rig.tuneloom('export', 'p.yaml', 'train', '--to', 'exported')).toMatchObject({ exitCode: 0 });
  const exported = JSON.parse(await readFile(join(rig.folder, 'exported/generation_config.json'), 'utf8'));
  expect(exported.eos_token_id).toEqual([idOf('<|endoftext|>'), idOf('<|im_end|>')]);
});
