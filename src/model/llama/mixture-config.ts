import type { ConfigFields } from '../config-fields.ts';
import { matrix, type NamedSpec } from '../parameter-specs.ts';

/** Layers whose feed-forward part is a mixture of experts: a router sends each token to a few of them. */
export interface Mixture {
  /** E */
  readonly experts: number;
  /** The experts that a token is sent to. */
  readonly chosen: number;
  /** Whether the gates of a token's experts are scaled to the sum 1. */
  readonly normalized: boolean;
  /** I of an expert. */
  readonly intermediateSize: number;
  /** For each layer, whether it has experts; the others have an ordinary feed-forward part. */
  readonly layers: readonly boolean[];
  readonly names: MixtureNames;
  /** The weight of the loss that balances the experts' load in training; 0 without it. */
  readonly balance: number;
}

interface MixtureNames {
  /** The module of a layer that has the router, `gate`, and the experts. */
  readonly block: string;
  /** The projections of an expert. */
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

type MixtureParser = (
  fields: ConfigFields,
  sizes: { readonly layers: number; readonly intermediateSize: number },
) => Mixture;

/** Mixtral (arXiv:2401.04088): experts in every layer. */
export const mixtralMixture: MixtureParser = (fields, { layers, intermediateSize }) => {
  fields.oneOf('router_jitter_noise', [0]); // is drawn at random in training
  return {
    ...expertCounts(fields, { layers, experts: 8, chosen: 2 }),
    normalized: true,
    intermediateSize,
    layers: new Array<boolean>(layers).fill(true),
    names: { block: 'block_sparse_moe', gate: 'w1', up: 'w3', down: 'w2' },
    balance: balanceOf(fields),
  };
};

/** Qwen3-MoE (arXiv:2505.09388): experts in every `decoder_sparse_step`th layer, except those of `mlp_only_layers`. */
export const qwen3Mixture: MixtureParser = (fields, { layers }) => {
  const step = fields.optionalCount('decoder_sparse_step') ?? 1;
  const ordinary = fields.layerNumbers('mlp_only_layers', layers);
  return {
    ...expertCounts(fields, { layers, experts: 128, chosen: 8 }),
    normalized: fields.flag('norm_topk_prob', false),
    intermediateSize: fields.optionalCount('moe_intermediate_size') ?? 768,
    layers: Array.from(
      { length: layers },
      (_, layer) => (layer + 1) % step === 0 && !ordinary.includes(layer),
    ),
    names: { block: 'mlp', gate: 'gate_proj', up: 'up_proj', down: 'down_proj' },
    balance: balanceOf(fields),
  };
};

/** In all layers together: several times what any model has. */
const mostExperts = 100_000;

/** The experts have two names: Mixtral's, which transformers 5 writes for all families, and that of the others before. */
function expertCounts(
  fields: ConfigFields,
  { layers, ...absent }: Pick<Mixture, 'experts' | 'chosen'> & { readonly layers: number },
): Pick<Mixture, 'experts' | 'chosen'> {
  const most = Math.floor(mostExperts / layers);
  const local = fields.optionalCount('num_local_experts', most);
  const experts = fields.optionalCount('num_experts', most) ?? local ?? absent.experts;
  fields.oneOf('num_local_experts', [experts]);
  const chosen = fields.optionalCount('num_experts_per_tok') ?? absent.chosen;
  if (chosen <= experts) return { experts, chosen };
  throw fields.problem('num_experts_per_tok', `the model has ${experts} experts`);
}

/** transformers adds the loss if the routers' logits are asked for, and leaves it out by default. */
function balanceOf(fields: ConfigFields): number {
  const factor = fields.positiveOrZero('router_aux_loss_coef', 0.001);
  return fields.flag('output_router_logits', false) ? factor : 0;
}

/** The parameters of a layer's router and experts; `layer` is the start of their names. */
export function mixtureSpecs(
  { experts, intermediateSize, names }: Mixture,
  { layer, hiddenSize }: { readonly layer: string; readonly hiddenSize: number },
): readonly NamedSpec[] {
  const block = `${layer}.${names.block}`;
  const ofExpert = (expert: number) => {
    const name = (projection: string) => `${block}.experts.${expert}.${projection}.weight`;
    return [
      matrix(name(names.gate), [intermediateSize, hiddenSize]),
      matrix(name(names.up), [intermediateSize, hiddenSize]),
      matrix(name(names.down), [hiddenSize, intermediateSize]),
    ];
  };
  return [
    matrix(`${block}.gate.weight`, [experts, hiddenSize]),
    ...Array.from({ length: experts }, (_, expert) => ofExpert(expert)).flat(),
  ];
}
