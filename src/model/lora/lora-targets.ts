import { UserError } from '../../core/index.ts';
import { familyOf, type ModelConfig, parameterLayout } from '../model-config.ts';
import { namePattern } from '../name-pattern.ts';

/** Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): y = W x + scale B A x, where A [r, I] and B [O, r] are trained. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** The dropout rate of the adapters' inputs. */
  readonly dropout: number;
  /** Patterns of projection names, or all projections of the blocks. */
  readonly targets: 'all-linear' | readonly string[];
  /** Divides alpha by the root of the rank (Kalajdzievski 2023, arXiv:2312.03732) instead of the rank. */
  readonly rankStabilized: boolean;
}

export const loraScale = ({ rank, alpha, rankStabilized }: LoraSettings): number =>
  alpha / (rankStabilized ? Math.sqrt(rank) : rank);

export type LoraTargets = ReadonlyMap<string, LinearProjection>;

/** The projections that get an adapter, by name. `all-linear` leaves out the head, as PEFT does. Throws if a pattern matches none. */
export function loraTargets(config: ModelConfig, targets: LoraSettings['targets']): LoraTargets {
  const projections = linearProjections(config);
  const head = headName(config);
  if (targets === 'all-linear') return new Map([...projections].filter(([name]) => name !== head));
  const patterns = targets.map((target) => ({ target, matches: namePattern(target) }));
  const unused = patterns.find(({ matches }) => ![...projections.keys()].some(matches));
  if (unused !== undefined) throw noProjection(unused.target, config);
  return new Map([...projections].filter(([name]) => patterns.some(({ matches }) => matches(name))));
}

/** The shortest names by which PEFT finds exactly these: the last parts, or whole names if those would match more. */
export function targetModules(config: ModelConfig, targets: LoraTargets): readonly string[] {
  const last = [...new Set([...targets.keys()].map(lastPart))].sort();
  const found = [...linearProjections(config).keys()].filter((name) => last.includes(lastPart(name)));
  return found.length === targets.size ? last : [...targets.keys()];
}

const lastPart = (name: string): string => name.split('.').at(-1) ?? name;

const headName = (config: ModelConfig) => familyOf(config).tiedHead.head.replace(/\.weight$/, '');

function noProjection(target: string, config: ModelConfig): UserError {
  const names = [...new Set([...linearProjections(config).keys()].map(lastPart))];
  const tiedHead = target === headName(config) && config.tied;
  return new UserError({
    code: 'unknown-lora-target',
    message: tiedHead
      ? `\`lora.targets\` names \`${target}\`, which has no weight: it is tied to the token embedding`
      : `\`lora.targets\` has \`${target}\`, which matches no projection of the model`,
    help: `the model has ${names.map((name) => `\`${name}\``).join(', ')}; or write \`targets: all-linear\``,
  });
}

/** A matrix that the forward pass multiplies with, so that an adapter can be added to it. */
interface LinearProjection {
  /** I */
  readonly inputSize: number;
  /** O */
  readonly outputSize: number;
  /** Whether the weight is stored [I, O], as in GPT-2's blocks, instead of [O, I]. PEFT calls this fan_in_fan_out. */
  readonly inputFirst: boolean;
}

/** By the name of the weight without `.weight`, like the modules of transformers. Includes the head if it has its own weight. */
function linearProjections(config: ModelConfig): ReadonlyMap<string, LinearProjection> {
  const { embeddings, inputFirst: blocksInputFirst, tiedHead } = familyOf(config);
  const projections = new Map<string, LinearProjection>();
  for (const [name, { shape }] of parameterLayout(config)) {
    if (shape.length !== 2 || !name.endsWith('.weight') || embeddings.includes(name)) continue;
    const [rows = 0, columns = 0] = shape;
    const inputFirst = blocksInputFirst && name !== tiedHead.head;
    const [inputSize, outputSize] = inputFirst ? [rows, columns] : [columns, rows];
    projections.set(name.replace(/\.weight$/, ''), { inputSize, outputSize, inputFirst });
  }
  return projections;
}
