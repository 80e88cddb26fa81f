import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Printed as HubPrinted, openRemoteRig } from '../remote/rig/remote-rig.ts';
import { type CliRig, openCliRig } from './rig.ts';

const fixture = (...names: string[]) => join(import.meta.dirname, '../fixtures', ...names);
const gguf = fixture('model/gguf/llama.gguf');

let rig: CliRig;
beforeAll(async () => {
  rig = await openCliRig({
    'package.json': '{}',
    'rows.jsonl': ['dog', 'cat'].map((text) => `{"id":"${text}","text":"${text}"}\n`).join(''),
    'pipeline.yaml': `name: adapters
stages:
  base: { uses: load, with: { model: ${gguf} } }
  rows: { uses: load, with: { records: rows.jsonl } }
  format: { from: rows, with: { template: completion } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2 } }
  train:
    from: { model: base, train: collate }
    with: { lora: { r: 2, use_dora: true }, optimizer: { learning_rate: 0.3 }, sample: { max_new_tokens: 0 } }
`,
    'back.yaml': 'name: adapters\nstages: { back: { uses: load, with: { adapter: out/adapter } } }\n',
  });
  expect(await rig.tuneloom('run', 'pipeline.yaml')).toMatchObject({ exitCode: 0 });
}, 60_000);
afterAll(() => rig[Symbol.asyncDispose]());

test('an adapter that was trained on a GGUF file says that its base must be named, and loads back bit for bit', async () => {
  const { stderr } = await rig.tuneloom(
    'export',
    'pipeline.yaml',
    'train',
    '--format',
    'peft',
    '--to',
    'out/adapter',
  );
  expect(stderr).toBe(
    'note: the adapter names no base model, as its weights come from the file llama.gguf: name the model that the file was made of with --base, or export it too with `tuneloom export base --to base`',
  );
  expect(await rig.tuneloom('run', 'back.yaml')).toMatchObject({ exitCode: 0 });
  const weights = (path: string) => readFile(join(rig.folder, path, 'adapter_model.safetensors'));
  const outputs = 'artifacts/outputs/adapters';
  expect(await weights(`${outputs}/back/adapter`)).toEqual(await weights(`${outputs}/train/model/adapter`));
  const shown = await rig.tuneloom('show', 'back.yaml', 'back');
  expect(shown.stdout).toContain('base_model.model.model.layers.{0-1}.self_attn.q_proj.lora_');

  const lora = await rig.tuneloom(
    'export',
    'pipeline.yaml',
    'train',
    '--format',
    'gguf-lora',
    '--to',
    'out/lora',
  );
  expect(lora.stderr).toContain('GGUF has no place for its `use_dora`');
});

test('a chat answers with the chosen one of several adapters of a model', async () => {
  const words = ['base', '--adapter', 'mine=train', '--adapter', './out/adapter', '--template', 'completion'];
  const running = rig.start('chat', 'pipeline.yaml', ...words, '--max-new-tokens', '4', '--json');
  running.stdin?.end('dog\n/adapter adapter\ndog\n/adapter none\ndog\n/adapter other\n/adapter mine\ndog\n');
  const { stdout, stderr } = await running;
  const answers = String(stdout)
    .split('\n')
    .map((line) => JSON.parse(line).response);
  expect(answers).toEqual([answers[0], answers[0], expect.not.stringMatching(`^${answers[0]}$`), answers[0]]);
  expect(stderr).toBe('there is no adapter other');

  const refused = async (...words: string[]) =>
    (await rig.tuneloom('chat', 'pipeline.yaml', ...words)).stderr;
  expect((await rig.tuneloom('chat', './out/adapter')).stderr).toBe(
    'error: ./out/adapter is an adapter, which needs its base model\n  help: name the base, and the adapter with --adapter: tuneloom chat <base> --adapter ./out/adapter',
  );
  expect(await refused('train', '--adapter', 'train', '--template', 'completion')).toBe(
    'error: the model has this adapter merged into it already\n  help: use the adapter with its base, or the model without the adapter',
  );
  expect(await refused('base', '--adapter', './out/adapter', '--adapter', './out/adapter')).toContain(
    'two adapters have the name `adapter`',
  );
});

test('an adapter comes from the hub, and one that is not supported is refused before its weights come', async () => {
  const files = async (name: string, change: object = {}) => {
    const config = JSON.parse(await readFile(fixture('adapters', name, 'adapter_config.json'), 'utf8'));
    return {
      'README.md': Buffer.from('An adapter.'),
      'adapter_config.json': Buffer.from(JSON.stringify({ ...config, ...change })),
      'adapter_model.safetensors': await readFile(fixture('adapters', name, 'adapter_model.safetensors')),
    };
  };
  const at = (content: Record<string, Buffer>) => {
    const commit = 'a'.repeat(40);
    return { refs: { main: commit }, commits: { [commit]: content } };
  };
  await using hub = await openRemoteRig(
    {
      'team/dora': at(await files('dora')),
      'team/pissa': at(await files('dora', { init_lora_weights: 'pissa' })),
    },
    [
      `  base: { uses: load, with: { model: ${fixture('model/tiny-llama')} } }`,
      '  dora: { uses: load, with: { adapter: hf:team/dora } }',
      '  pissa: { uses: load, with: { adapter: hf:team/pissa } }\n',
    ].join('\n'),
  );
  expect(await hub.tuneloom('run', 'dora')).toMatchObject({ exitCode: 0 } satisfies Partial<HubPrinted>);
  const stored = join(hub.folder, 'artifacts/outputs/p/dora/adapter/adapter_model.safetensors');
  expect(await readFile(stored)).toEqual(await readFile(fixture('adapters/dora/adapter_model.safetensors')));
  const { all, exitCode } = await hub.tuneloom('run', 'pissa');
  expect(exitCode).toBe(2);
  expect(all).toContain('`init_lora_weights: "pissa"` is not supported');
});
