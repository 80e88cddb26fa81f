import type { ParameterSpec } from '../parameter-layout.ts';
import type { LlamaConfig } from './llama-config.ts';

/** The parameters of LlamaForCausalLM; its linear weights are [out, in]. They start normal with deviation .02, norms at 1. */
export function llamaParameters(config: LlamaConfig): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, width, layers, tied } = config;
  return new Map<string, ParameterSpec>([
    ['model.embed_tokens.weight', normal([vocabularySize, width])],
    ...Array.from({ length: layers }, (_, layer) => `model.layers.${layer}`).flatMap((block): Named[] => [
      [`${block}.input_layernorm.weight`, ones(width)],
      ...attention(config, `${block}.self_attn`),
      [`${block}.post_attention_layernorm.weight`, ones(width)],
      ...feedForward(config, `${block}.mlp`),
    ]),
    ['model.norm.weight', ones(width)],
    ...(tied ? [] : [['lm_head.weight', normal([vocabularySize, width])] as const]),
  ]);
}

function attention(config: LlamaConfig, name: string): readonly Named[] {
  const { width, heads, keyValueHeads, headWidth, fused, bias } = config;
  const [queries, keys] = [heads * headWidth, keyValueHeads * headWidth];
  const inputs = fused
    ? projection(`${name}.qkv_proj`, { shape: [queries + 2 * keys, width], bias: bias.inputs })
    : [
        ...projection(`${name}.q_proj`, { shape: [queries, width], bias: bias.inputs }),
        ...projection(`${name}.k_proj`, { shape: [keys, width], bias: bias.inputs }),
        ...projection(`${name}.v_proj`, { shape: [keys, width], bias: bias.inputs }),
      ];
  return [...inputs, ...projection(`${name}.o_proj`, { shape: [width, queries], bias: bias.output })];
}

function feedForward({ width, innerWidth, fused, bias }: LlamaConfig, name: string): readonly Named[] {
  const inputs = fused
    ? projection(`${name}.gate_up_proj`, { shape: [2 * innerWidth, width], bias: bias.inner })
    : [
        ...projection(`${name}.gate_proj`, { shape: [innerWidth, width], bias: bias.inner }),
        ...projection(`${name}.up_proj`, { shape: [innerWidth, width], bias: bias.inner }),
      ];
  return [...inputs, ...projection(`${name}.down_proj`, { shape: [width, innerWidth], bias: bias.inner })];
}

const projection = (
  name: string,
  { shape, bias }: { shape: readonly [outputs: number, inputs: number]; bias: boolean },
): readonly Named[] => [
  [`${name}.weight`, normal(shape)],
  ...(bias ? [[`${name}.bias`, { shape: [shape[0]], initial: { constant: 0 } }] as const] : []),
];

type Named = readonly [name: string, spec: ParameterSpec];

const normal = (shape: readonly number[]): ParameterSpec => ({ shape, initial: { deviation: 0.02 } });

const ones = (width: number): ParameterSpec => ({ shape: [width], initial: { constant: 1 } });
