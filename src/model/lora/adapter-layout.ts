import { UserError } from '../../core/index.ts';
import { familyOf, type ModelConfig, parameterLayout } from '../model-config.ts';
import { namePattern, patternText } from '../name-pattern.ts';
import { type AdaptableModule, headName, loraTargets } from './lora-targets.ts';
import { type TrainedRows, type TrainedTokens, trainedRows, trainedRowsName } from './trained-tokens.ts';

/** Low-rank adaptation (Hu et al. 2021, arXiv:2106.09685): y = W x + scale B A x, where A [r, I] and B [O, r] are trained. */
export interface LoraSettings {
  readonly rank: number;
  readonly alpha: number;
  /** The dropout rate of the inputs of the projections' adapters. */
  readonly dropout: number;
  /** Patterns of module names, or all projections of the blocks. */
  readonly targets: 'all-linear' | readonly string[];
  /** Divides alpha by the root of the rank (Kalajdzievski 2023, arXiv:2312.03732) instead of the rank. */
  readonly rankStabilized: boolean;
  /** Ranks and alphas of single modules, by PEFT's patterns; the first that matches a module counts. */
  readonly rankPattern: readonly ValuePattern[];
  readonly alphaPattern: readonly ValuePattern[];
  /** Weight-decomposed adaptation (Liu et al. 2024, arXiv:2402.09353): the norms of W + scale B A are trained apart. */
  readonly dora: boolean;
  /** Patterns of modules that are trained whole, as copies that belong to the adapter. */
  readonly modulesToSave: readonly string[];
  /** Which biases of the model are trained too. */
  readonly bias: 'none' | 'all' | 'lora_only';
  /** Whether the head of a tied model stays tied to an embedding that is trained whole. */
  readonly keepsTie: boolean;
  /** Single rows of the embedding and of the head that are trained. */
  readonly tokens: TrainedTokens;
}

export interface ValuePattern {
  /** A regular expression, as adapter_config.json has it. */
  readonly source: string;
  readonly matches: (module: string) => boolean;
  readonly value: number;
}

/** A pattern of names as the other fields have them, where `*` stands for any characters. */
export const valuePattern = (pattern: string, value: number): ValuePattern => ({
  source: patternText(pattern),
  matches: namePattern(pattern),
  value,
});

/** What an adapter of a model consists of. */
export interface AdapterLayout {
  /** By module name. */
  readonly targets: ReadonlyMap<string, AdapterTarget>;
  /** Parameters that are trained whole, by name. The head of a tied model has one of its own here. */
  readonly whole: ReadonlyMap<string, WholeParameter>;
  /** By module name. */
  readonly rows: ReadonlyMap<string, TrainedRows>;
}

export interface AdapterTarget extends AdaptableModule {
  readonly rank: number;
  /** Multiplies B A. */
  readonly scale: number;
}

interface WholeParameter {
  /** The parameter of the base that it starts as. */
  readonly from: string;
  readonly shape: readonly number[];
}

/** Throws a UserError if the settings name modules that the model does not have. */
export function adapterLayout(config: ModelConfig, settings: LoraSettings): AdapterLayout {
  const { head, embedding } = familyOf(config).tiedHead;
  const keepsTie = config.tied && settings.keepsTie;
  const saved = settings.modulesToSave
    .flatMap((pattern) => parametersIn(pattern, config))
    .filter((name) => !keepsTie || name !== head);
  const targets = [...loraTargets(config, settings.targets)].filter(
    ([name]) => !saved.includes(`${name}.weight`),
  );
  if (keepsTie && targets.some(([name]) => [head, embedding].includes(`${name}.weight`))) throw tiedTarget();
  const biases = [...parameterLayout(config).keys()].filter((name) => {
    const isTargeted = targets.some(([module]) => name === `${module}.bias`);
    return (
      name.endsWith('.bias') && (settings.bias === 'all' || (settings.bias === 'lora_only' && isTargeted))
    );
  });
  const modules = [...targets.map(([name]) => name), ...saved.map((name) => name.replace(/\.weight$/, ''))];
  return {
    targets: new Map(targets.map(([name, module]) => [name, { ...module, ...sizeOf(name, settings) }])),
    whole: wholeParameters(config, new Set([...saved, ...biases])),
    rows: trainedRows(config, { tokens: settings.tokens, others: new Set(modules) }),
  };
}

const tiedTarget = (): UserError =>
  new UserError({
    code: 'tied-adapter',
    message:
      '`ensure_weight_tying` keeps the head tied to an embedding that is trained whole, not to one with an adapter',
    help: 'name the embedding in `modules_to_save` instead, or leave out `ensure_weight_tying`',
  });

function sizeOf(name: string, settings: LoraSettings): Pick<AdapterTarget, 'rank' | 'scale'> {
  const valueIn = (patterns: readonly ValuePattern[]) => patterns.find(({ matches }) => matches(name))?.value;
  const rank = valueIn(settings.rankPattern) ?? settings.rank;
  const alpha = valueIn(settings.alphaPattern) ?? settings.alpha;
  return { rank, scale: alpha / (settings.rankStabilized ? Math.sqrt(rank) : rank) };
}

/** The parameters of the modules that a pattern matches. A tied head counts as a module with a weight. */
function parametersIn(pattern: string, config: ModelConfig): readonly string[] {
  const matches = namePattern(pattern);
  const { head } = familyOf(config).tiedHead;
  const names = [...parameterLayout(config).keys(), ...(config.tied ? [head] : [])];
  const found = names.filter((name) => modulesAround(name).some(matches));
  if (found.length > 0) return found;
  throw new UserError({
    code: 'unknown-module',
    message: `\`lora.modules_to_save\` has \`${pattern}\`, which matches no module of the model`,
    help: `a module is named like its parameters, as in \`${names[0]?.replace(/\.\w+$/, '')}\` or \`${headName(config)}\``,
  });
}

/** `a.b.weight` -> `a.b` and `a`. */
const modulesAround = (parameter: string): readonly string[] => {
  const parts = parameter.split('.');
  return parts.slice(1).map((_, dropped) => parts.slice(0, parts.length - 1 - dropped).join('.'));
};

function wholeParameters(
  config: ModelConfig,
  names: ReadonlySet<string>,
): ReadonlyMap<string, WholeParameter> {
  const { head, embedding } = familyOf(config).tiedHead;
  const layout = parameterLayout(config);
  return new Map(
    [...names].map((name) => {
      const from = config.tied && name === head ? embedding : name;
      return [name, { from, shape: layout.get(from)?.shape ?? [] }];
    }),
  );
}

/** The tensors of an adapter and their shapes, by PEFT's names without the prefix of all. */
export function adapterTensors(
  { targets, whole, rows }: AdapterLayout,
  { dora }: Pick<LoraSettings, 'dora'>,
): ReadonlyMap<string, readonly number[]> {
  const tensors = new Map<string, readonly number[]>();
  for (const [name, { kind, rank, inputSize, outputSize }] of targets) {
    const { down, up, magnitude } = tensorNames(name, kind);
    tensors.set(down, [rank, inputSize]);
    tensors.set(up, [outputSize, rank]);
    if (dora) tensors.set(magnitude, [outputSize]);
  }
  for (const [name, { shape }] of whole) tensors.set(name, shape);
  for (const [module, { shape }] of rows) tensors.set(trainedRowsName(module), shape);
  return tensors;
}

/** The names of a module's A [r, I], B [O, r] and, with DoRA, magnitude [O]. */
export function tensorNames(module: string, kind: AdaptableModule['kind']) {
  const [down, up] =
    kind === 'embedding' ? ['lora_embedding_A', 'lora_embedding_B'] : ['lora_A.weight', 'lora_B.weight'];
  return { down: `${module}.${down}`, up: `${module}.${up}`, magnitude: `${module}.lora_magnitude_vector` };
}
