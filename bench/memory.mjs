import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'gpt-tokenizer/encoding/r50k_base';
import { peersPython } from './peers/peers-python.mjs';

// Peak memory and tokens per second of training a model of random weights, in a process each: a stage of a pipeline, from
// loading to the saved model, beside transformers and peft. Build first.
// node bench/memory.mjs gpt2|gpt2-medium|llama-1.1b [steps] [names of peers, with commas]
const [name = 'gpt2', steps = '3', only] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const rowsFile = process.env.TUNELOOM_BENCH_ROWS ?? join(root, '../shared/data/rasbt/instruction-data.json');
const checkpoints = { gradient_checkpointing: true };
const lora = { r: 8, alpha: 16, targets: ['q_proj', 'v_proj'] };
const int4 = { lora, base_precision: 'int4', ...checkpoints };

// `rows` are the reference's, formatted; `length` makes rows of that many tokens. A peer is [settings of peers/memory.py].
const cases = {
  gpt2: {
    model: { context_length: 1024, width: 768, layers: 12, heads: 12 },
    batch: 8,
    ours: { 'as it is': {}, 'gradient checkpointing': checkpoints },
    peers: {
      transformers: ['full', 'float32'],
      'transformers, gradient checkpointing': ['full', 'float32', 'checkpoints'],
    },
  },
  'gpt2-medium': {
    model: { context_length: 1024, width: 1024, layers: 24, heads: 16 },
    batch: 8,
    ours: {
      'gradient checkpointing': checkpoints,
      'the same, the best kept': { ...checkpoints, keep: 'best' },
    },
    peers: { 'transformers, gradient checkpointing': ['full', 'float32', 'checkpoints'] },
  },
  'llama-1.1b': {
    model: tinyLlama(),
    batch: 1,
    length: 512,
    ours: { 'base in int4': int4 },
    peers: {
      'peft, base in float32': ['lora', 'float32', 'checkpoints'],
      'peft, base in bfloat16': ['lora', 'bfloat16', 'checkpoints'],
      'peft, base in 4 bits by bitsandbytes': ['lora', 'nf4', 'checkpoints'],
    },
  },
};
const { model, batch, length, ours, peers } = cases[name];
const folder = join(process.env.TUNELOOM_BENCH_FOLDER ?? tmpdir(), `tuneloom-bench-memory-${name}`);
mkdirSync(folder, { recursive: true });
const isAsked = (label) => only === undefined || only.split(',').some((part) => label.includes(part));
write('rows.json', JSON.stringify(rows()));
for (const [label, settings] of Object.entries(ours))
  if (isAsked(label)) print(`tuneloom, ${label}`, train(settings));
for (const [label, settings] of Object.entries(peers))
  if (isAsked(label)) print(label, peer(settings, join(folder, 'artifacts/outputs/memory/base/model')));

/** TinyLlama's sizes, with a vocabulary of 50,257: a folder's config.json, whose weights are made by the peers' Python. */
function tinyLlama() {
  return {
    ...{ model_type: 'llama', architectures: ['LlamaForCausalLM'], vocab_size: 50257, hidden_size: 2048 },
    ...{ intermediate_size: 5632, num_hidden_layers: 22, num_attention_heads: 32, num_key_value_heads: 4 },
    ...{ max_position_embeddings: 2048, rms_norm_eps: 1e-5, tie_word_embeddings: false, dtype: 'bfloat16' },
    ...{ bos_token_id: 50256, eos_token_id: 50256, initializer_range: 0.02 },
  };
}

function rows() {
  const all = JSON.parse(readFileSync(rowsFile, 'utf8')).slice(0, batch * Number(steps));
  if (length === undefined) return all;
  const long = all.map(({ instruction, output }) => `${instruction} ${output} `.repeat(length / 8));
  return long.map((instruction) => ({ instruction, output: 'yes' }));
}

function train(settings) {
  const stages = {
    base: {
      uses: 'load',
      with: model.model_type ? { model: modelFolder() } : { init: { ...model, encoding: 'r50k_base' } },
    },
    rows: { uses: 'load', with: { records: 'rows.json' } },
    format: { from: 'rows', with: { template: 'alpaca' } },
    tokenize: { from: { records: 'format', tokenizer: 'base.tokenizer' } },
    collate: { from: 'tokenize', with: { batch_size: batch, max_length: length ?? 1024, train_on: 'all' } },
    train: {
      from: { model: 'base', train: 'collate', validation: 'collate' },
      with: { epochs: 1, evaluate: { every: 1000, batches: 1 }, sample: { max_new_tokens: 0 }, ...settings },
    },
  };
  write('memory.yaml', JSON.stringify({ name: 'memory', stages }));
  const words = [join(root, 'dist/tuneloom.js'), 'run', 'memory.yaml', 'train', '--force', 'train'];
  const { status, stdout, stderr } = spawnSync('node', words, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  const { peak_memory, expected_memory, tokens_per_second } = latestMeasurements();
  return { memory: peak_memory, expected: expected_memory, tokensPerSecond: tokens_per_second };
}

function modelFolder() {
  const path = join(folder, 'model');
  if (existsSync(join(path, 'model.safetensors'))) return path;
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'config.json'), JSON.stringify(model));
  writeFileSync(join(path, 'encoding.json'), JSON.stringify({ encoding: 'r50k_base' }));
  execFileSync(peersPython(), [join(root, 'bench/peers/random-model.py'), path], { stdio: 'inherit' });
  return path;
}

function peer(settings, path) {
  const texts = rows().map(({ instruction, input, output }) => {
    const given = input ? `\n\n### Input:\n${input}` : '';
    const prompt = `Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n${instruction}${given}`;
    return encode(`${prompt}\n\n### Response:\n${output}`).slice(0, length ?? 1024);
  });
  const batches = Array.from({ length: texts.length / batch }, (_, i) =>
    texts.slice(i * batch, (i + 1) * batch),
  );
  write('batches.json', JSON.stringify({ batches }));
  const words = [join(root, 'bench/peers/memory.py'), path, join(folder, 'batches.json'), ...settings];
  const { status, stdout, stderr } = spawnSync(peersPython(), words, {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  return status === 0
    ? JSON.parse(stdout.trim().split('\n').at(-1))
    : { error: stderr.trim().split('\n').at(-1) };
}

function latestMeasurements() {
  const actions = join(folder, 'artifacts/actions');
  const paths = readdirSync(actions, { recursive: true }).filter((path) => path.endsWith('.json'));
  const time = (path) => statSync(join(actions, path)).mtimeMs;
  for (const path of paths.sort((a, b) => time(b) - time(a))) {
    const found = measurementsIn(JSON.parse(readFileSync(join(actions, path), 'utf8')));
    if (found !== undefined) return found;
  }
  throw new Error('no stage has measured its memory');
}

function measurementsIn(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, 'peak_memory')) return value;
  return Object.values(value)
    .map(measurementsIn)
    .find((found) => found !== undefined);
}

function print(label, { memory, expected, tokensPerSecond, error }) {
  const figures = error ?? `${(memory / 1e9).toFixed(2)} GB, ${tokensPerSecond} tokens/s`;
  console.log(
    `${name}: ${label}: ${figures}${expected ? `, ${(expected / 1e9).toFixed(2)} GB expected` : ''}`,
  );
}

function write(file, text) {
  writeFileSync(join(folder, file), text);
}
