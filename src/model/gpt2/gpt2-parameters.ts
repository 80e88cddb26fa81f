import type { ParameterSpec } from '../parameter-layout.ts';
import type { Gpt2Config } from './gpt2-config.ts';

/**
 * The parameters of GPT2LMHeadModel; its Conv1D weights are [in, out]. They start as in GPT-2: normal with deviation .02,
 * divided by sqrt(2 L) for the projections that add to the residual stream, L being the number of layers.
 */
export function gpt2Parameters(config: Gpt2Config): ReadonlyMap<string, ParameterSpec> {
  const { vocabularySize, contextLength, width, innerWidth, layers, tied } = config;
  const residual = 0.02 / Math.sqrt(2 * layers);
  return new Map<string, ParameterSpec>([
    ['transformer.wte.weight', normal([vocabularySize, width], 0.02)],
    ['transformer.wpe.weight', normal([contextLength, width], 0.02)],
    ...Array.from({ length: layers }, (_, layer) => `transformer.h.${layer}`).flatMap((block) => [
      ...norm(`${block}.ln_1`, width),
      ...projection(`${block}.attn.c_attn`, normal([width, 3 * width], 0.02)),
      ...projection(`${block}.attn.c_proj`, normal([width, width], residual)),
      ...norm(`${block}.ln_2`, width),
      ...projection(`${block}.mlp.c_fc`, normal([width, innerWidth], 0.02)),
      ...projection(`${block}.mlp.c_proj`, normal([innerWidth, width], residual)),
    ]),
    ...norm('transformer.ln_f', width),
    ...(tied ? [] : [['lm_head.weight', normal([vocabularySize, width], 0.02)] as const]),
  ]);
}

type Named = readonly [name: string, spec: ParameterSpec];

const normal = (shape: readonly number[], deviation: number): ParameterSpec => ({
  shape,
  initial: { deviation },
});

const constant = (shape: readonly number[], value: number): ParameterSpec => ({
  shape,
  initial: { constant: value },
});

const norm = (name: string, width: number): readonly Named[] => [
  [`${name}.weight`, constant([width], 1)],
  [`${name}.bias`, constant([width], 0)],
];

const projection = (name: string, weight: ParameterSpec): readonly Named[] => [
  [`${name}.weight`, weight],
  [`${name}.bias`, constant(weight.shape.slice(1), 0)],
];
