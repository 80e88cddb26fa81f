import { type Json, UserError } from '../../core/index.ts';
import type { GgufValue } from '../../formats/index.ts';
import type { Gpt2Config } from '../gpt2/gpt2-config.ts';
import type { LlamaConfig } from '../llama/llama-config.ts';
import type { ModelConfig } from '../model-config.ts';

/** A model's configuration as a GGUF file holds it. */
export interface GgufHyperparameters {
  /** llama.cpp's name, `general.architecture`. */
  readonly architecture: string;
  /** The keys that start with it. */
  readonly metadata: readonly (readonly [key: string, value: GgufValue])[];
  /** For the user: where llama.cpp computes something else. */
  readonly notes: readonly string[];
}

/** The `model_type` of a config.json -> llama.cpp's name. */
const names = new Map<unknown, string>([
  ['gpt2', 'gpt2'],
  ['llama', 'llama'],
  ['mistral', 'llama'],
  ['qwen2', 'qwen2'],
  ['phi3', 'phi3'],
]);

/** Throws a UserError if llama.cpp's file has no place for this type of model. */
export function ggufHyperparameters(config: ModelConfig): GgufHyperparameters {
  const type = config.json.model_type;
  const architecture = names.get(type);
  const own = ownFields(config);
  if (architecture === undefined || own === undefined)
    throw new UserError({
      code: 'unsupported-model',
      message: `a model of the type ${JSON.stringify(type ?? null)} cannot be written as GGUF`,
      help: `these can: ${[...names.keys()].join(', ')}`,
    });
  const sizes = {
    context_length: { uint32: config.contextLength },
    embedding_length: { uint32: config.hiddenSize },
    block_count: { uint32: config.layers },
    feed_forward_length: { uint32: config.intermediateSize },
    'attention.head_count': { uint32: config.heads },
    vocab_size: { uint32: config.vocabularySize },
  };
  const phi3 = architecture === 'phi3' ? phi3Fields(config) : { fields: {}, notes: [] };
  const fields: Readonly<Record<string, GgufValue>> = { ...sizes, ...own, ...phi3.fields };
  return {
    architecture,
    metadata: Object.entries(fields).map(([key, value]) => [`${architecture}.${key}`, value]),
    notes: phi3.notes,
  };
}

/** Undefined for a family that is not written. */
function ownFields(config: ModelConfig): Readonly<Record<string, GgufValue>> | undefined {
  if (config.family === 'gpt2') return gpt2(config);
  return config.family === 'llama' ? decoder(config) : undefined;
}

const gpt2 = ({ epsilon }: Gpt2Config): Readonly<Record<string, GgufValue>> => ({
  'attention.layer_norm_epsilon': { float32: epsilon },
});

const decoder = (config: LlamaConfig): Readonly<Record<string, GgufValue>> => ({
  'attention.head_count_kv': { uint32: config.keyValueHeads },
  'attention.key_length': { uint32: config.headDim },
  'attention.value_length': { uint32: config.headDim },
  'attention.layer_norm_rms_epsilon': { float32: config.epsilon },
  'rope.freq_base': { float32: config.rotary.base },
  'rope.dimension_count': { uint32: config.rotary.rotaryDim },
});

/** llama.cpp requires a window, 0 for none, and ignores it. */
function phi3Fields({ json, contextLength }: ModelConfig): {
  readonly fields: Readonly<Record<string, GgufValue>>;
  readonly notes: readonly string[];
} {
  const count = (value: Json | undefined) => (typeof value === 'number' ? value : 0);
  const window = count(json.sliding_window);
  const original = count(json.original_max_position_embeddings);
  return {
    fields: {
      'attention.sliding_window': { uint32: window },
      ...(original > 0 && { 'rope.scaling.original_context_length': { uint32: original } }),
    },
    notes:
      window > 0 && window < contextLength
        ? [
            `llama.cpp ignores the model's sliding window: texts of more than ${window} tokens go on differently there`,
          ]
        : [],
  };
}
