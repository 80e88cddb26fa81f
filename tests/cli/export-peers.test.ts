import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { openCliRig } from './rig.ts';

const python = process.env.TUNELOOM_PEERS_PYTHON;
const script = fileURLToPath(new URL('../../bench/peers/check-export.py', import.meta.url));
const findsAll =
  'import importlib.util as u; assert all(map(u.find_spec, ["torch", "transformers", "peft"]))';
const hasPeers = python !== undefined && spawnSync(python, ['-c', findsAll]).status === 0;
const reason = hasPeers
  ? ''
  : ' (skipped: TUNELOOM_PEERS_PYTHON names no Python with torch, transformers and peft)';

const row = (animal: string) => `{"id":"${animal}","instruction":"Spell ${animal}.","output":"${animal}"}\n`;

/** Trains adapters with visible effect on a model with this `with:`. */
const pipeline = (base: string) => `name: peers
stages:
  base: { uses: load, with: ${base} }
  load: { with: { records: rows.jsonl } }
  format: { from: load, with: { template: alpaca } }
  tokenize: { from: { records: format, tokenizer: base.tokenizer } }
  collate: { from: tokenize, with: { batch_size: 2, max_length: 48, too_long: truncate } }
  train:
    from: { model: base, train: collate }
    with: { epochs: 4, lora: { r: 2 }, optimizer: { learning_rate: 0.1 }, sample: { max_new_tokens: 0 } }
`;

test.skipIf(!hasPeers)(
  `transformers and peft load what is exported, as its card says, and the adapter on its base is the merged model${reason}`,
  async () => {
    await using rig = await openCliRig({
      'package.json': '{}',
      'rows.jsonl': ['dog', 'cat'].map(row).join(''),
      'peers.yaml': pipeline(
        '{ init: { context_length: 64, width: 16, layers: 1, heads: 2, encoding: r50k_base } }',
      ),
    });
    expect((await rig.tuneloom('run')).stderr).not.toContain('error');
    const out = (name: string) => join(rig.folder, 'out', name);
    await rig.tuneloom('export', 'base', '--to', 'out/base');
    await rig.tuneloom('export', 'train', '--to', 'out/merged', '--format', 'merged');
    await rig.tuneloom('export', 'train', '--to', 'out/adapter', '--format', 'peft', '--base', out('base'));
    const folders = [out('merged'), out('adapter'), out('base'), out('merged')];
    const { stdout } = await execa(python ?? '', [script, ...folders], { env: { HF_HUB_OFFLINE: '1' } });
    expect(stdout).toContain('adapter on its base against merged');

    await rig.tuneloom('export', 'train', '--to', 'out/alone', '--format', 'peft');
    const programs = ['merged', 'adapter', 'alone'].map(async (name) => {
      const card = await readFile(join(out(name), 'README.md'), 'utf8');
      const [, snippet = ''] = /```python\n(.*?)```/s.exec(card) ?? [];
      return `import os\nos.chdir(${JSON.stringify(out(name))})\n${snippet}\nprint(type(model).__name__, len(tokenizer))\n`;
    });
    const program = (await Promise.all(programs)).join('');
    const ended = await execa(python ?? '', ['-c', program], { env: { HF_HUB_OFFLINE: '1' } });
    expect(ended.stdout.split('\n')).toEqual([
      'GPT2LMHeadModel 50257',
      'PeftModelForCausalLM 50257',
      'PeftModelForCausalLM 50257',
    ]);
  },
  300_000,
);
