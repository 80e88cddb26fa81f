import type { CheckpointNames } from '../folder/checkpoint-names.ts';

/** GPT-2's checkpoints name parameters with the `transformer.` prefix (GPT2LMHeadModel) or without it (GPT2Model). */
export const gpt2CheckpointNames: CheckpointNames = {
  aliases: (name) => [name, name.replace(/^transformer\./, '')],
  // Causal masks, which older versions of transformers kept among the weights.
  ignored: (name) => /^(transformer\.)?h\.\d+\.attn\.(bias|masked_bias)$/.test(name),
  tiedHead: { head: 'lm_head.weight', embedding: 'transformer.wte.weight' },
};
