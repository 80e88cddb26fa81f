import { type JsonObject, RandomStream } from '../core/index.ts';
import { elementCount } from '../formats/index.ts';
import type { ParameterSpec } from './family.ts';
import type { ModelToWrite } from './folder/model-folder.ts';
import { parameterLayout, parseModelConfig } from './model-config.ts';

interface InitialModelOptions extends InitialSizes {
  readonly family: InitialFamily;
  /** Whether the head shares the token embedding's weights. */
  readonly tied: boolean;
  readonly seed: number;
  /** The tokenizer's end of text, written for other programs that generate with the model. */
  readonly endOfText: number;
}

interface InitialSizes {
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
}

type InitialFamily =
  | 'gpt2'
  | 'llama'
  | 'mixtral'
  | 'qwen3'
  | 'qwen3_moe'
  | 'olmo2'
  | 'gpt_neox'
  | 'phi'
  | 'gemma2'
  | 'gemma3_text';

/** A model with new random weights. Each parameter has its own random stream, named by the seed and the parameter. */
export function initialModel(options: InitialModelOptions): ModelToWrite {
  const config = parseModelConfig('init', {
    model_type: options.family,
    ...familyFields[options.family](options),
    tie_word_embeddings: options.tied,
    bos_token_id: options.endOfText,
    eos_token_id: options.endOfText,
  });
  const layout = parameterLayout(config);
  const read = (name: string) => {
    const spec = layout.get(name);
    if (spec === undefined) throw new Error(`No parameter has the name ${name}`);
    return initialValues(spec, new RandomStream(['initial parameter', options.seed, name]));
  };
  return { config, read };
}

/** The config.json of a new model: the sizes, and what a family needs besides; the other fields are absent. */
const familyFields: Readonly<Record<InitialFamily, (sizes: InitialSizes) => JsonObject>> = {
  gpt2: (sizes) => ({
    architectures: ['GPT2LMHeadModel'],
    vocab_size: sizes.vocabularySize,
    n_positions: sizes.contextLength,
    n_embd: sizes.hiddenSize,
    n_layer: sizes.layers,
    n_head: sizes.heads,
  }),
  llama: (sizes) => ({ architectures: ['LlamaForCausalLM'], ...gatedSizes(sizes) }),
  mixtral: (sizes) => ({
    architectures: ['MixtralForCausalLM'],
    ...gatedSizes(sizes),
    num_local_experts: 8,
    num_experts_per_tok: 2,
  }),
  qwen3: (sizes) => ({ architectures: ['Qwen3ForCausalLM'], ...gatedSizes(sizes) }),
  // Its experts are half as wide, so that the two of a token have the size of a layer without experts.
  qwen3_moe: (sizes) => ({
    architectures: ['Qwen3MoeForCausalLM'],
    ...gatedSizes(sizes),
    moe_intermediate_size: 4 * Math.ceil(sizes.hiddenSize / 3),
    num_experts: 8,
    num_experts_per_tok: 2,
    norm_topk_prob: true,
  }),
  olmo2: (sizes) => ({ architectures: ['Olmo2ForCausalLM'], ...gatedSizes(sizes) }),
  gpt_neox: (sizes) => ({ architectures: ['GPTNeoXForCausalLM'], ...plainSizes(sizes) }),
  phi: (sizes) => ({ architectures: ['PhiForCausalLM'], ...plainSizes(sizes) }),
  gemma2: (sizes) => ({ architectures: ['Gemma2ForCausalLM'], ...gatedSizes(sizes), ...ofHeads(sizes) }),
  gemma3_text: (sizes) => ({
    architectures: ['Gemma3ForCausalLM'],
    ...gatedSizes(sizes),
    ...ofHeads(sizes),
    sliding_window: 512,
  }),
};

/** The feed-forward layer is four times as wide as the hidden size. */
const plainSizes = ({ hiddenSize, ...sizes }: InitialSizes): JsonObject => ({
  vocab_size: sizes.vocabularySize,
  max_position_embeddings: sizes.contextLength,
  hidden_size: hiddenSize,
  intermediate_size: 4 * hiddenSize,
  num_hidden_layers: sizes.layers,
  num_attention_heads: sizes.heads,
});

/** The gated layer has as many parameters in three matrices as the plain one in two: 8/3 of the hidden size, in whole 8s. */
const gatedSizes = (sizes: InitialSizes): JsonObject => ({
  ...plainSizes(sizes),
  intermediate_size: 8 * Math.ceil(sizes.hiddenSize / 3),
  num_key_value_heads: sizes.heads,
  head_dim: sizes.hiddenSize / sizes.heads,
});

const ofHeads = ({ hiddenSize, heads }: InitialSizes): JsonObject => ({
  query_pre_attn_scalar: hiddenSize / heads,
});

function initialValues({ shape, initial }: ParameterSpec, random: RandomStream): Float32Array {
  const values = new Float32Array(elementCount(shape));
  if ('constant' in initial) return values.fill(initial.constant);
  for (let index = 0; index < values.length; index++) values[index] = initial.deviation * random.normal();
  return values;
}
