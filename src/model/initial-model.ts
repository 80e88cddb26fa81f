import { RandomStream } from '../core/index.ts';
import { elementCount } from '../formats/index.ts';
import type { ParameterSpec } from './family.ts';
import type { ModelToWrite } from './folder/model-folder.ts';
import { parameterLayout, parseModelConfig } from './model-config.ts';

interface InitialModelOptions {
  readonly family: 'gpt2';
  readonly vocabularySize: number;
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  /** Whether the head shares the token embedding's weights. */
  readonly tied: boolean;
  readonly seed: number;
  /** The tokenizer's end of text, written for other programs that generate with the model. */
  readonly endOfText: number;
}

/** A model with new random weights. Each parameter has its own random stream, named by the seed and the parameter. */
export function initialModel(options: InitialModelOptions): ModelToWrite {
  const config = parseModelConfig('init', {
    model_type: options.family,
    architectures: ['GPT2LMHeadModel'],
    vocab_size: options.vocabularySize,
    n_positions: options.contextLength,
    n_embd: options.hiddenSize,
    n_layer: options.layers,
    n_head: options.heads,
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

function initialValues({ shape, initial }: ParameterSpec, random: RandomStream): Float32Array {
  const values = new Float32Array(elementCount(shape));
  if ('constant' in initial) return values.fill(initial.constant);
  for (let index = 0; index < values.length; index++) values[index] = initial.deviation * random.normal();
  return values;
}
