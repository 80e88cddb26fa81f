import { checkpointNames } from './folder/checkpoint-names.ts';
import type { ModelConfig } from './model-config.ts';
import { parameterLayout } from './parameter-layout.ts';

/** A matrix of a model that its forward pass multiplies with: where an adapter can be put beside it. */
export interface LinearProjection {
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** The weight is stored [I, O], as GPT-2's blocks have it, and not [O, I]. PEFT calls it fan_in_fan_out. */
  readonly inputFirst: boolean;
}

/** By name: that of the weight without `.weight`, as the modules of transformers are named. The head is among them if it has a weight of its own. */
export function linearProjections(config: ModelConfig): ReadonlyMap<string, LinearProjection> {
  const { embedding, head } = checkpointNames(config).tiedHead;
  const isEmbedding = (name: string) => name === embedding || name === 'transformer.wpe.weight';
  const matrices = [...parameterLayout(config)].filter(
    ([name, { shape }]) => shape.length === 2 && name.endsWith('.weight') && !isEmbedding(name),
  );
  return new Map(
    matrices.map(
      ([
        name,
        {
          shape: [rows = 0, columns = 0],
        },
      ]) => {
        const inputFirst = config.family === 'gpt2' && name !== head;
        const [inputWidth, outputWidth] = inputFirst ? [rows, columns] : [columns, rows];
        return [name.replace(/\.weight$/, ''), { inputWidth, outputWidth, inputFirst }];
      },
    ),
  );
}
