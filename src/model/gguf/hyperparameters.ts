import { UserError } from '../../core/index.ts';
import type { GgufValue } from '../../formats/index.ts';
import type { GemmaConfig } from '../gemma/gemma-config.ts';
import type { GptNeoxConfig } from '../gpt-neox/gpt-neox-config.ts';
import type { LlamaConfig } from '../llama/llama-config.ts';
import type { ModelConfig } from '../model-config.ts';
import type { Olmo2Config } from '../olmo2/olmo2-config.ts';
import type { PhiConfig } from '../phi/phi-config.ts';
import { type ExtraTensor, ropeScalingFields } from './rope-fields.ts';

/** A model's configuration as a GGUF file holds it. */
export interface GgufHyperparameters {
  /** llama.cpp's name, `general.architecture`. */
  readonly architecture: string;
  /** The keys that start with it. */
  readonly metadata: readonly (readonly [key: string, value: GgufValue])[];
  /** Tensors that are no parameters: factors of wavelengths, and biases of zero that llama.cpp insists on. */
  readonly extra: readonly ExtraTensor[];
  /** Fields of the configuration that reading the keys alone does not give back: they are in tensors, or llama.cpp ignores them. */
  readonly unread: readonly (keyof LlamaConfig | keyof GptNeoxConfig)[];
  /** Whether llama.cpp wants a tensor for the head though that is the token embedding. */
  readonly storesTiedHead: boolean;
  /** For the user: where llama.cpp computes something else. */
  readonly notes: readonly string[];
}

/** Without the stretch of scaled positions, by which a reader lengthens it again. */
const positionsOf = ({ json, contextLength }: ModelConfig): number =>
  typeof json.max_position_embeddings === 'number' ? json.max_position_embeddings : contextLength;

type Fields = Readonly<Record<string, GgufValue>>;

/** The `model_type` of a config.json -> llama.cpp's name. */
const names = new Map<unknown, string>([
  ['gpt2', 'gpt2'],
  ['llama', 'llama'],
  ['mistral', 'llama'],
  ['mixtral', 'llama'],
  ['qwen2', 'qwen2'],
  ['qwen3', 'qwen3'],
  ['qwen3_moe', 'qwen3moe'],
  ['olmo2', 'olmo2'],
  ['gpt_neox', 'gptneox'],
  ['phi', 'phi2'],
  ['phi3', 'phi3'],
  ['gemma2', 'gemma2'],
  ['gemma3_text', 'gemma3'],
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
  const rope = ropeScalingFields(config.rotary);
  const window = ignoredWindow(config);
  const fields: Fields = {
    context_length: { uint32: positionsOf(config) },
    embedding_length: { uint32: config.hiddenSize },
    block_count: { uint32: config.layers },
    feed_forward_length: { uint32: config.intermediateSize },
    'attention.head_count': { uint32: config.heads },
    vocab_size: { uint32: config.vocabularySize },
    ...own,
    ...(architecture === 'phi3' && phi3Fields(config)),
    ...rope.fields,
  };
  return {
    architecture,
    metadata: Object.entries(fields).map(([key, value]) => [`${architecture}.${key}`, value]),
    extra: [...rope.factors, ...zeroBiases(config)],
    unread: [
      ...(rope.factors.length > 0 ? ['rotary' as const] : []),
      ...(window === undefined ? [] : ['windows' as const]),
      ...(config.family === 'gpt_neox' ? (['activation', 'attentionBias'] as const) : []),
    ],
    storesTiedHead: ['gptneox', 'phi2', 'olmo2'].includes(architecture),
    notes: [
      ...rope.notes,
      ...(window === undefined
        ? []
        : [
            `llama.cpp ignores the model's sliding window: texts of more than ${window} tokens go on differently there`,
          ]),
      ...(config.family === 'gpt_neox' && config.activation === 'gelu'
        ? ['llama.cpp computes GELU by its approximation with tanh, so answers may differ slightly there']
        : []),
    ],
  };
}

function zeroBiases(config: ModelConfig): readonly ExtraTensor[] {
  if (config.family !== 'gpt_neox' || config.attentionBias) return [];
  const zeros = (name: string, size: number) => ({ name, values: new Float32Array(size) });
  return Array.from({ length: config.layers }, (_, layer) => [
    zeros(`blk.${layer}.attn_qkv.bias`, 3 * config.hiddenSize),
    zeros(`blk.${layer}.attn_output.bias`, config.hiddenSize),
  ]).flat();
}

/** Undefined for a family that is not written. */
function ownFields(config: ModelConfig): Fields | undefined {
  switch (config.family) {
    case 'gpt2':
      return { 'attention.layer_norm_epsilon': { float32: config.epsilon } };
    case 'llama':
      return { ...rotated(config), ...gated(config), ...expertFields(config) };
    case 'olmo2':
      return { ...rotated(config), ...gated(config) };
    case 'gemma':
      return { ...rotated(config), ...gated(config), ...gemmaFields(config) };
    case 'phi':
      return {
        'attention.head_count_kv': { uint32: config.keyValueHeads },
        'attention.layer_norm_epsilon': { float32: config.epsilon },
        ...rotated(config),
      };
    case 'gpt_neox':
      return {
        use_parallel_residual: { flag: config.parallelResidual },
        'attention.layer_norm_epsilon': { float32: config.epsilon },
        ...rotated(config),
      };
    default:
      return undefined;
  }
}

const rotated = ({
  rotary,
}: LlamaConfig | Olmo2Config | GemmaConfig | PhiConfig | GptNeoxConfig): Fields => ({
  'rope.freq_base': { float32: rotary.base },
  'rope.dimension_count': { uint32: rotary.rotaryDim },
});

const gated = (config: LlamaConfig | Olmo2Config | GemmaConfig): Fields => ({
  'attention.head_count_kv': { uint32: config.keyValueHeads },
  'attention.key_length': { uint32: config.headDim },
  'attention.value_length': { uint32: config.headDim },
  'attention.layer_norm_rms_epsilon': { float32: config.epsilon },
});

/** Mixtral's file says the size of experts as that of the feed-forward layer, which it does not have. */
const expertFields = ({ mixture, json }: LlamaConfig): Fields =>
  mixture === undefined
    ? {}
    : {
        expert_count: { uint32: mixture.experts },
        expert_used_count: { uint32: mixture.chosen },
        ...(json.model_type === 'qwen3_moe' && {
          expert_feed_forward_length: { uint32: mixture.intermediateSize },
        }),
      };

/** Throws a UserError for a Gemma 2 that llama.cpp has no place for: it always caps its logits, and ties its head. */
function gemmaFields({ json, windows, contextLength, scoreCap, logitCap, tied }: GemmaConfig): Fields {
  if (json.model_type === 'gemma2') {
    if (scoreCap === undefined || logitCap === undefined)
      throw unlikeGemma2('always caps the scores and logits of Gemma 2, and this model has no cap');
    if (!tied)
      throw unlikeGemma2('takes the token embedding as the head of Gemma 2, and this model has another');
  }
  return {
    'attention.sliding_window': {
      uint32: windows.find((window) => window !== undefined) ?? contextLength,
    },
    ...(scoreCap !== undefined && { attn_logit_softcapping: { float32: scoreCap } }),
    ...(logitCap !== undefined && { final_logit_softcapping: { float32: logitCap } }),
  };
}

const unlikeGemma2 = (what: string): UserError =>
  new UserError({
    code: 'unsupported-model',
    message: `llama.cpp ${what}`,
    help: 'export it with --format hf',
  });

/** llama.cpp requires a window, 0 for none. */
function phi3Fields({ json, windows }: ModelConfig): Fields {
  const original = json.original_max_position_embeddings;
  return {
    'attention.sliding_window': { uint32: windows[0] ?? 0 },
    ...(typeof original === 'number' && { 'rope.scaling.original_context_length': { uint32: original } }),
  };
}

/** The window of a family whose windows llama.cpp does not compute, if a text can be longer. */
function ignoredWindow({ family, windows, contextLength }: ModelConfig): number | undefined {
  const window = family === 'gemma' ? undefined : windows.find((each) => each !== undefined);
  return window !== undefined && window < contextLength ? window : undefined;
}
