import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { JsonObject } from '../src/core/index.ts';
import type { TrainConfig } from '../src/generated/train-config.ts';
import { generationMemory } from '../src/model/generation/generation-memory.ts';
import { parameterCount, totalMemory } from '../src/model/memory.ts';
import { type ModelConfig, parseModelConfig } from '../src/model/model-config.ts';
import { fillDefaults } from '../src/runtime/index.ts';
import { trainStage } from '../src/stages/train/train-stage.ts';
import { checkTrainingMemory } from '../src/training/training-memory.ts';

const gpt2 = (n_embd: number, n_layer: number, n_head: number): JsonObject => ({
  ...{ model_type: 'gpt2', vocab_size: 50257, n_positions: 1024, n_embd, n_layer, n_head },
});

/** Sizes as in the published config.json. */
const models: Readonly<Record<string, JsonObject>> = {
  'GPT-2': gpt2(768, 12, 12),
  'SmolLM2-135M': gated('llama', [576, 1536, 30, 9, 3, 64, 49152], true),
  'GPT-2 medium': gpt2(1024, 24, 16),
  'Qwen2.5-0.5B': gated('qwen2', [896, 4864, 24, 14, 2, 64, 151936], true),
  'GPT-2 large': gpt2(1280, 36, 20),
  'TinyLlama-1.1B': gated('llama', [2048, 5632, 22, 32, 4, 64, 32000], false),
  'Llama-3.2-1B': gated('llama', [2048, 8192, 16, 32, 8, 64, 128256], true),
  'Llama-3.2-3B': gated('llama', [3072, 8192, 28, 24, 8, 128, 128256], true),
  'Mistral-7B-v0.3': gated('mistral', [4096, 14336, 32, 32, 8, 128, 32768], false),
};

function gated(model_type: string, sizes: readonly number[], tie_word_embeddings: boolean): JsonObject {
  const [hidden_size = 0, intermediate_size = 0, num_hidden_layers = 0, num_attention_heads = 0] = sizes;
  const [num_key_value_heads = 0, head_dim = 0, vocab_size = 0] = sizes.slice(4);
  return {
    ...{ model_type, hidden_size, intermediate_size, num_hidden_layers, num_attention_heads },
    ...{ num_key_value_heads, head_dim, vocab_size, max_position_embeddings: 2048, rms_norm_eps: 1e-5 },
    tie_word_embeddings,
  };
}

const example = { id: '', inputs: new Int32Array(512), targets: new Int32Array(512), promptLength: 0 };
const recipe = { batchSize: 1, shuffle: false, dropLast: false, seed: 0 };
const batches = { examples: [example], recipe, vocabulary: '', endOfText: 0, answerEnds: [0] };

function training(model: ModelConfig, settings: JsonObject): number {
  const filled = fillDefaults(trainStage.schema, { gradient_checkpointing: true, ...settings });
  const config = filled as unknown as TrainConfig; // the schema's own defaults
  const bounds = { limit: Number.POSITIVE_INFINITY, onProcessor: true };
  return checkTrainingMemory({ model, config, batches }, bounds);
}

const answering = (model: ModelConfig, precision: 'float32' | 'int8') =>
  totalMemory(generationMemory(model, { kind: 'writes', rows: 8, slots: 512, precision }));

const columns: readonly ((model: ModelConfig) => number)[] = [
  (model) => training(model, {}),
  (model) => training(model, { optimizer: { name: 'adafactor', learning_rate: 1e-5 } }),
  (model) => training(model, { lora: {} }),
  (model) => training(model, { lora: {}, base_precision: 'int8' }),
  (model) => training(model, { lora: {}, base_precision: 'int4' }),
  (model) => answering(model, 'float32'),
  (model) => answering(model, 'int8'),
];

test('the table of what fits in which memory says what the estimates say', async () => {
  const rows = Object.entries(models).map(([name, json]) => {
    const model = parseModelConfig(name, json);
    const millions = Math.round(parameterCount(model) / 1e6);
    const cells = columns.map((bytesOf) => (bytesOf(model) / 1e9).toFixed(1));
    return `| ${[`${name}, ${millions} million`, ...cells].join(' | ')} |`;
  });
  const page = await readFile(join(import.meta.dirname, '../docs/memory.md'), 'utf8');
  const table = /<!-- memory -->\n(?:.*\n){2}((?:\|.*\n)*)<!-- \/memory -->/.exec(page)?.[1] ?? '';
  expect(table.trimEnd().split('\n')).toEqual(rows);
});
