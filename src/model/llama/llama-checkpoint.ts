import type { CheckpointNames } from '../folder/checkpoint-names.ts';

export const llamaCheckpointNames: CheckpointNames = {
  aliases: (name) => [name],
  // Wavelengths, which older versions of transformers kept among the weights.
  ignored: (name) => /^model\.layers\.\d+\.self_attn\.rotary_emb\.inv_freq$/.test(name),
  tiedHead: { head: 'lm_head.weight', embedding: 'model.embed_tokens.weight' },
};
