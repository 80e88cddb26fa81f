import { UserError } from '../../core/index.ts';
import { checkpointNames, type ModelConfig, parameterLayout } from '../model-config.ts';
import { namePattern } from '../name-pattern.ts';

/** Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): y = W x + scale B A x, of which A [r, I] and B [O, r] are trained. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** The share of the adapters' inputs that a training drops. */
  readonly dropout: number;
  /** Patterns of projections' names, or all of a model's blocks. */
  readonly targets: 'all-linear' | readonly string[];
  /** Divides alpha by the root of the rank (Kalajdzievski 2023, arXiv:2312.03732) and not by the rank. */
  readonly rankStabilized: boolean;
}

export const loraScale = ({ rank, alpha, rankStabilized }: LoraSettings): number =>
  alpha / (rankStabilized ? Math.sqrt(rank) : rank);

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

/** A matrix of a model that its forward pass multiplies with: where an adapter can be put beside it. */
interface LinearProjection {
  readonly inputWidth: number;
  readonly outputWidth: number;
  /** The weight is stored [I, O], as GPT-2's blocks have it, and not [O, I]. PEFT calls it fan_in_fan_out. */
  readonly inputFirst: boolean;
}

/** By name: that of the weight without `.weight`, as the modules of transformers are named. The head is among them if it has a weight of its own. */
function linearProjections(config: ModelConfig): ReadonlyMap<string, LinearProjection> {
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
