import { UserError } from '../core/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import { type LanguageModel, namePattern } from '../model/index.ts';

type Factors = Pick<TrainConfig, 'learning_rate_multipliers' | 'layerwise_lr_decay' | 'loraplus_lr_ratio'>;

/**
 * By how much each trained parameter's learning rate differs from the training's. Throws if a pattern matches no trained
 * parameter.
 */
export function learningRateFactors(
  model: Pick<LanguageModel, 'config' | 'parameters' | 'trainable'>,
  { learning_rate_multipliers = {}, layerwise_lr_decay, loraplus_lr_ratio = 1 }: Factors,
): (name: string) => number {
  const names = [...model.trainable.keys()];
  const multipliers = Object.entries(learning_rate_multipliers).map(([pattern, factor]) => {
    const matches = namePattern(pattern);
    if (!names.some(matches)) throw noParameter(pattern, names);
    return { matches, factor };
  });
  const depthOf = depths(model);
  const factors = names.map((name) => {
    const matching = multipliers.filter(({ matches }) => matches(name)).map(({ factor }) => factor);
    const layerwise = layerwise_lr_decay === undefined ? 1 : layerwise_lr_decay ** depthOf(name);
    const ratio = isSecondFactor(model, name) ? loraplus_lr_ratio : 1;
    return [name, matching.reduce((product, factor) => product * factor, layerwise * ratio)] as const;
  });
  const byName = new Map(factors);
  return (name) => byName.get(name) ?? 1;
}

/**
 * How many layers lie between a parameter and the head: none after the last layer, and all of them and one more before the
 * first, as in BEiT (Bao et al. 2022).
 */
function depths({ config, parameters }: Pick<LanguageModel, 'config' | 'parameters'>) {
  const names = [...parameters.keys()];
  const first = names.findIndex((name) => layerOf(name) !== undefined);
  return (name: string): number => {
    const layer = layerOf(name);
    if (layer !== undefined) return config.layers - layer;
    const module = name.replace(/\.(lora_.*|weight|bias)$/, '');
    const place = names.findIndex((other) => other.startsWith(`${module}.`));
    return place >= 0 && place < first ? config.layers + 1 : 0;
  };
}

/** The number of the layer that a parameter's name begins with: `transformer.h.3.mlp.c_fc.weight`. */
function layerOf(name: string): number | undefined {
  const number = name.split('.').find((part) => /^\d+$/.test(part));
  return number === undefined ? undefined : Number(number);
}

/** What LoRA+ trains faster: an adapter's B, and all vectors, as in PEFT's create_loraplus_optimizer. */
const isSecondFactor = ({ trainable }: Pick<LanguageModel, 'trainable'>, name: string): boolean =>
  name.includes('.lora_B.') || trainable.get(name)?.rank === 1;

function noParameter(pattern: string, names: readonly string[]): UserError {
  const shown = names.slice(0, 4).map((name) => `\`${name}\``);
  return new UserError({
    code: 'unknown-parameter',
    message: `\`learning_rate_multipliers\` has \`${pattern}\`, which matches no trained parameter`,
    help: `\`*\` stands for any characters; the ${names.length} trained parameters start with ${shown.join(', ')}`,
  });
}
