import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// What stages are expected to take beside what they took, over models, optimizers, precisions, batches and lengths.
// node bench/memory-estimate.mjs [pattern of names]; build first.
const tuneloom = join(import.meta.dirname, '../dist/tuneloom.js');
const pattern = new RegExp(process.argv[2] ?? '');
const folder = mkdtempSync(join(tmpdir(), 'tuneloom-bench-'));
const ratios = [];
try {
  const words = 'all of them went on to where it was to be seen by'.split(' ');
  const text = (row) =>
    Array.from({ length: 1100 }, (_, i) => words[(i * (row + 2)) % words.length]).join(' ');
  const rows = Array.from({ length: 64 }, (_, row) => ({ text: text(row) }));
  write('rows.jsonl', rows.map((row) => JSON.stringify(row)).join('\n'));
  for (const [name, point] of Object.entries(points())) if (pattern.test(name)) measure(name, point);
  const sorted = ratios.sort((a, b) => a - b);
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))]?.toFixed(2);
  console.log(`${sorted.length} points: expected / peak from ${at(0)} to ${at(1)}, median ${at(0.5)}`);
} finally {
  rmSync(folder, { recursive: true });
}

function points() {
  const gpt2 = { width: 768, layers: 12, heads: 12 };
  const small = { width: 512, layers: 8, heads: 8 };
  const llama = { ...small, family: 'llama', tied: false };
  const families = Object.fromEntries(
    ['qwen3', 'olmo2', 'gpt_neox', 'phi', 'gemma2', 'gemma3_text', 'qwen3_moe'].map((family) => [
      `family ${family}`,
      { model: { ...small, family, layers: family === 'qwen3_moe' ? 2 : 8 }, batch: 4, length: 256 },
    ]),
  );
  const checkpoints = { gradient_checkpointing: true };
  const optimizer = (name, more = {}) => ({ optimizer: { name, learning_rate: 1e-5, ...more } });
  const lora = { lora: { r: 16 } };
  const answers = (more = {}) => ({ max_new_tokens: 64, ...more });
  return {
    ...families,
    'full 8x64': { model: gpt2, batch: 8, length: 64 },
    'full 4x256': { model: gpt2, batch: 4, length: 256 },
    'full 1x1024': { model: gpt2, batch: 1, length: 1024 },
    'full small 16x128': { model: small, batch: 16, length: 128 },
    'full llama 4x512': { model: llama, batch: 4, length: 512 },
    'checkpoints 8x256': { model: gpt2, batch: 8, length: 256, train: checkpoints },
    'checkpoints llama 4x512': { model: llama, batch: 4, length: 512, train: checkpoints },
    'checkpoints llama 8x1024': { model: llama, batch: 8, length: 1024, train: checkpoints },
    'checkpoints lion': {
      model: gpt2,
      batch: 4,
      length: 128,
      train: { ...checkpoints, ...optimizer('lion') },
    },
    'checkpoints sgd': { model: gpt2, batch: 4, length: 128, train: { ...checkpoints, ...optimizer('sgd') } },
    'checkpoints adafactor': {
      ...{ model: gpt2, batch: 4, length: 128, train: { ...checkpoints, ...optimizer('adafactor') } },
    },
    'optimizer lion': { model: small, batch: 8, length: 128, train: optimizer('lion') },
    'optimizer sgd': { model: small, batch: 8, length: 128, train: optimizer('sgd') },
    'optimizer sgd momentum': {
      model: small,
      batch: 8,
      length: 128,
      train: optimizer('sgd', { momentum: 0.9 }),
    },
    'optimizer adafactor': { model: small, batch: 8, length: 128, train: optimizer('adafactor') },
    'micro-batches 2 of 8': { model: gpt2, batch: 8, length: 128, train: { micro_batch_size: 2 } },
    'micro-batches lora': { model: llama, batch: 8, length: 256, train: { micro_batch_size: 2, ...lora } },
    'lora 4x256': { model: gpt2, batch: 4, length: 256, train: lora },
    'lora llama 8x256': { model: llama, batch: 8, length: 256, train: lora },
    'lora checkpoints': { model: llama, batch: 8, length: 256, train: { ...lora, ...checkpoints } },
    'lora int8': { model: gpt2, batch: 4, length: 256, train: { ...lora, base_precision: 'int8' } },
    'lora int4': { model: gpt2, batch: 4, length: 256, train: { ...lora, base_precision: 'int4' } },
    'lora int4 checkpoints': {
      ...{ model: llama, batch: 2, length: 512 },
      train: { ...lora, ...checkpoints, base_precision: 'int4' },
    },
    'lora dora all-linear': {
      model: llama,
      batch: 4,
      length: 256,
      train: { lora: { use_dora: true, targets: 'all-linear' } },
    },
    'trainable part': { model: gpt2, batch: 4, length: 128, train: { trainable: ['transformer.h.1*'] } },
    'keep best': { model: gpt2, batch: 4, length: 128, train: { keep: 'best' } },
    'evaluate generation': {
      model: gpt2,
      batch: 2,
      length: 64,
      train: { evaluate: { generation: { metrics: ['exact_match'], batch_size: 16 } } },
    },
    'padded 8x64': { model: gpt2, batch: 8, length: 64, train: { padding_free: false } },
    'answers 1': { model: gpt2, words: 64, generate: answers({ batch_size: 1 }) },
    'answers 8': { model: gpt2, words: 64, generate: answers() },
    'answers 32': { model: gpt2, words: 256, generate: answers({ batch_size: 32 }) },
    'answers 8 long': { model: gpt2, words: 800, generate: answers() },
    'answers small 32 long': { model: small, words: 800, generate: answers({ batch_size: 32 }) },
    'answers int8 1': { model: gpt2, words: 64, generate: answers({ batch_size: 1, precision: 'int8' }) },
    'answers int8 16': { model: gpt2, words: 256, generate: answers({ batch_size: 16, precision: 'int8' }) },
    'answers llama 8': { model: llama, words: 256, generate: answers() },
    'answers llama int8': { model: llama, words: 256, generate: answers({ precision: 'int8' }) },
    'answers gemma 8': { model: { ...small, family: 'gemma3_text' }, words: 256, generate: answers() },
    'score 8': { model: gpt2, words: 256, generate: { mode: 'rolling', batch_size: 8 } },
    'score long': { model: small, words: 900, generate: { mode: 'rolling', batch_size: 4 } },
  };
}

function measure(name, { model, batch = 8, length = 64, train = {}, words = 64, generate }) {
  const cut = rows().map(({ text }) => ({
    prompt: text.split(' ').slice(0, words).join(' '),
    completion: 'yes',
  }));
  write(
    'prompts.jsonl',
    cut
      .slice(0, 32)
      .map((row) => JSON.stringify(row))
      .join('\n'),
  );
  const asks = train.evaluate?.generation !== undefined;
  const stages = {
    model: { uses: 'load', with: { init: { context_length: 1024, encoding: 'r50k_base', ...model } } },
    rows: { uses: 'load', with: { records: 'rows.jsonl', limit: 2 * batch } },
    format: { from: 'rows', with: { template: 'completion' } },
    prompts: { uses: 'load', with: { records: 'prompts.jsonl' } },
    questions: { uses: 'format', from: 'prompts', with: { template: 'completion' } },
    tokenize: { from: { records: 'format', tokenizer: 'model.tokenizer' } },
    collate: { from: 'tokenize', with: { batch_size: batch, max_length: length, train_on: 'all' } },
    measured:
      generate === undefined
        ? {
            uses: 'train',
            from: {
              model: 'model',
              train: 'collate',
              validation: 'collate',
              ...(asks && { prompts: 'questions' }),
            },
            with: {
              epochs: 1,
              evaluate: { every: 100, batches: 1 },
              sample: { max_new_tokens: 4 },
              ...train,
            },
          }
        : { uses: 'generate', from: { model: 'model', prompts: 'questions' }, with: generate },
  };
  write('pipeline.yaml', JSON.stringify({ name: 'memory', stages }));
  const run = spawnSync('node', [tuneloom, 'run', 'pipeline.yaml', 'measured', '--force', 'measured'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (run.status !== 0) return console.log(`${name}: ${run.stdout}${run.stderr}`);
  const found = measurements();
  const [expected, peak] = [found.expected_memory, found.peak_memory].map((bytes) => bytes / 1e9);
  ratios.push(expected / peak);
  console.log(
    `${name.padEnd(28)} expected ${expected.toFixed(2)}   peak ${peak.toFixed(2)}   ratio ${(expected / peak).toFixed(2)}`,
  );
}

/** Those of the latest record that has a peak. */
function measurements() {
  const actions = join(folder, 'artifacts/actions');
  const paths = readdirSync(actions, { recursive: true }).filter((path) => path.endsWith('.json'));
  const latest = paths
    .map((path) => join(actions, path))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const path of latest) {
    const found = peaksIn(JSON.parse(readFileSync(path, 'utf8')));
    if (found !== undefined) return found;
  }
  throw new Error('no stage has measured its memory');
}

function peaksIn(value) {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, 'peak_memory')) return value;
  for (const inner of Object.values(value)) {
    const found = peaksIn(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

function rows() {
  return readFileSync(join(folder, 'rows.jsonl'), 'utf8')
    .split('\n')
    .map((line) => JSON.parse(line));
}

function write(name, text) {
  writeFileSync(join(folder, name), text);
}
