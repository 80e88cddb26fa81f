import { UserError } from '../../user-error.ts';
import { checkpointNames } from '../folder/checkpoint-names.ts';
import { type LinearProjection, linearProjections } from '../linear-projections.ts';
import type { ModelConfig } from '../model-config.ts';
import { namePattern } from '../name-pattern.ts';
import type { LoraSettings } from './lora-settings.ts';

export type LoraTargets = ReadonlyMap<string, LinearProjection>;

/** The projections that get an adapter, by name. `all-linear` leaves out the head, as PEFT does. Throws where a pattern names none. */
export function loraTargets(config: ModelConfig, targets: LoraSettings['targets']): LoraTargets {
  const projections = linearProjections(config);
  const head = headName(config);
  if (targets === 'all-linear') return new Map([...projections].filter(([name]) => name !== head));
  const patterns = targets.map((target) => ({ target, matches: namePattern(target) }));
  const unused = patterns.find(({ matches }) => ![...projections.keys()].some(matches));
  if (unused !== undefined) throw noProjection(unused.target, config);
  return new Map([...projections].filter(([name]) => patterns.some(({ matches }) => matches(name))));
}

/** The shortest names by which PEFT finds just these: the last parts, or the whole names where those would find more. */
export function targetModules(config: ModelConfig, targets: LoraTargets): readonly string[] {
  const last = [...new Set([...targets.keys()].map(lastPart))].sort();
  const found = [...linearProjections(config).keys()].filter((name) => last.includes(lastPart(name)));
  return found.length === targets.size ? last : [...targets.keys()];
}

const lastPart = (name: string): string => name.split('.').at(-1) ?? name;

const headName = (config: ModelConfig) => checkpointNames(config).tiedHead.head.replace(/\.weight$/, '');

function noProjection(target: string, config: ModelConfig): UserError {
  const names = [...new Set([...linearProjections(config).keys()].map(lastPart))];
  const tiedHead = target === headName(config) && config.tied;
  return new UserError({
    code: 'unknown-lora-target',
    message: tiedHead
      ? `\`lora.targets\` names \`${target}\`, which has no weight of its own: it is tied to the token embedding`
      : `\`lora.targets\` has \`${target}\`, and no projection of the model is called so`,
    help: `the model has ${names.map((name) => `\`${name}\``).join(', ')}; or write \`targets: all-linear\``,
  });
}
