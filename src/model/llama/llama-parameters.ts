import type { ParameterSpec } from '../parameter-layout.ts';
import type { LlamaConfig } from './llama-config.ts';

/** The parameters of LlamaForCausalLM; its linear weights are [out, in]. They start normal with deviation .02, norms at 1. */
export function llamaParameters(config: LlamaConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, width, innerWidth, layers, heads, keyValueHeads, headWidth, tied } = config;
  return new Map<string, ParameterSpec>([
    ['model.embed_tokens.weight', normal([vocabularySize, width])],
    ...Array.from({ length: layers }, (_, layer) => `model.layers.${layer}`).flatMap((block): Named[] => [
      [`${block}.input_layernorm.weight`, ones(width)],
      [`${block}.self_attn.q_proj.weight`, normal([heads * headWidth, width])],
      [`${block}.self_attn.k_proj.weight`, normal([keyValueHeads * headWidth, width])],
      [`${block}.self_attn.v_proj.weight`, normal([keyValueHeads * headWidth, width])],
      [`${block}.self_attn.o_proj.weight`, normal([width, heads * headWidth])],
      [`${block}.post_attention_layernorm.weight`, ones(width)],
      [`${block}.mlp.gate_proj.weight`, normal([innerWidth, width])],
      [`${block}.mlp.up_proj.weight`, normal([innerWidth, width])],
      [`${block}.mlp.down_proj.weight`, normal([width, innerWidth])],
    ]),
    ['model.norm.weight', ones(width)],
    ...(tied ? [] : [['lm_head.weight', normal([vocabularySize, width])] as const]),
  ]);
}

type Named = readonly [name: string, spec: ParameterSpec];

const normal = (shape: readonly number[]): ParameterSpec => ({ shape, initial: { deviation: 0.02 } });

const ones = (width: number): ParameterSpec => ({ shape: [width], initial: { constant: 1 } });
