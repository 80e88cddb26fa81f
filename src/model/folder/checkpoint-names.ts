import { gpt2CheckpointNames } from '../gpt2/gpt2-checkpoint.ts';
import { llamaCheckpointNames } from '../llama/llama-checkpoint.ts';
import type { ModelConfig } from '../model-config.ts';

/** How a family's checkpoints name their tensors. */
export interface CheckpointNames {
  /** The names under which a parameter may stand in a file; the first is the one that is written. */
  readonly aliases: (name: string) => readonly string[];
  /** Tensors that are no parameters and may be left unread. */
  readonly ignored: (name: string) => boolean;
  /** The head of a tied model may be stored too, as long as it equals the embedding. */
  readonly tiedHead: { readonly head: string; readonly embedding: string };
}

export function checkpointNames(config: ModelConfig): CheckpointNames {
  switch (config.family) {
    case 'gpt2':
      return gpt2CheckpointNames;
    case 'llama':
      return llamaCheckpointNames;
    default:
      return config satisfies never;
  }
}
