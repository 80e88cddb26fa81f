import { UserError } from '../core/index.ts';
import type { TrainConfig } from '../generated/train-config.ts';
import {
  type LoraSettings,
  loraTargets,
  type ModelConfig,
  type TrainedTokens,
  valuePattern,
} from '../model/index.ts';

/** The settings of a new adapter. */
export type LoraConfig = Exclude<NonNullable<TrainConfig['lora']>, 'continue'>;

/** The schema's defaults. */
export const defaultLora: LoraConfig = {
  r: 16,
  alpha: 32,
  dropout: 0,
  targets: 'all-linear',
  rank_pattern: {},
  alpha_pattern: {},
  use_rslora: false,
  use_dora: false,
  modules_to_save: [],
  ensure_weight_tying: false,
  bias: 'none',
};

/**
 * What a configuration means for a model. Throws if a pattern of ranks or alphas matches none of the targets, or two
 * patterns give one target different values: their order is not part of the configuration.
 */
export function loraSettings(
  lora: LoraConfig,
  model: ModelConfig,
  tokens: TrainedTokens = new Map(),
): LoraSettings {
  const targets = [...loraTargets(model, lora.targets).keys()];
  const patternsOf = (field: 'rank_pattern' | 'alpha_pattern') => {
    const patterns = Object.entries(lora[field]).map(([pattern, value]) => ({
      pattern,
      ...valuePattern(pattern, value),
    }));
    for (const { pattern, matches } of patterns)
      if (!targets.some(matches)) throw unmatched(`lora.${field}`, pattern);
    for (const target of targets) {
      const found = patterns.filter(({ matches }) => matches(target));
      const [first] = found;
      const other = found.find(({ value }) => value !== first?.value);
      if (first !== undefined && other !== undefined)
        throw ambiguous(`lora.${field}`, { target, patterns: [first.pattern, other.pattern] });
    }
    return patterns.map(({ source, matches, value }) => ({ source, matches, value }));
  };
  return {
    rank: lora.r,
    alpha: lora.alpha,
    dropout: lora.dropout,
    targets: lora.targets,
    rankStabilized: lora.use_rslora,
    rankPattern: patternsOf('rank_pattern'),
    alphaPattern: patternsOf('alpha_pattern'),
    dora: lora.use_dora,
    modulesToSave: lora.modules_to_save,
    bias: lora.bias,
    keepsTie: lora.ensure_weight_tying,
    tokens,
  };
}

const unmatched = (field: string, pattern: string): UserError =>
  new UserError({
    code: 'unknown-lora-target',
    message: `\`${field}\` has \`${pattern}\`, which matches none of the projections that get an adapter`,
    help: '`lora.targets` decides which get one',
  });

const ambiguous = (
  field: string,
  { target, patterns }: { readonly target: string; readonly patterns: readonly [string, string] },
): UserError =>
  new UserError({
    code: 'ambiguous-pattern',
    message: `\`${field}\` gives \`${target}\` two values: by \`${patterns[0]}\` and by \`${patterns[1]}\``,
    help: 'write patterns of which one matches',
  });
