import { UserError } from '../../core/index.ts';
import { familyOf, type ModelConfig, parameterLayout } from '../model-config.ts';
import { namePattern } from '../name-pattern.ts';

/** A matrix of the model to which the product B A of an adapter can be added. */
export interface AdaptableModule {
  /** A projection multiplies hidden states, an embedding looks up rows. */
  readonly kind: 'projection' | 'embedding';
  /** I; the number of rows of an embedding. */
  readonly inputSize: number;
  /** O */
  readonly outputSize: number;
  /** Whether the weight is stored [I, O], as embeddings and GPT-2's blocks are, instead of [O, I]. PEFT calls this fan_in_fan_out. */
  readonly inputFirst: boolean;
  /** The parameter: that of the module's own name, or the token embedding for a tied head. */
  readonly weight: string;
}

type LoraTargets = ReadonlyMap<string, AdaptableModule>;

/**
 * The modules that get an adapter, by name. `all-linear` are the projections without the head, as in PEFT. A pattern with
 * a `*` matches projections that have their own weight; embeddings and a tied head must be named. Throws if a pattern
 * matches nothing.
 */
export function loraTargets(config: ModelConfig, targets: 'all-linear' | readonly string[]): LoraTargets {
  const modules = [...adaptableModules(config)];
  const head = headName(config);
  if (targets === 'all-linear')
    return new Map(modules.filter(([name, { kind }]) => kind === 'projection' && name !== head));
  const patterns = targets.map((target) => {
    const matches = namePattern(target);
    const isName = !target.includes('*');
    return {
      target,
      matches: ([name, module]: readonly [string, AdaptableModule]) =>
        matches(name) && (isName || (module.kind === 'projection' && !isTiedHead(name, config))),
    };
  });
  const unused = patterns.find(({ matches }) => !modules.some(matches));
  if (unused !== undefined) throw noModule(unused.target, modules);
  return new Map(modules.filter((module) => patterns.some(({ matches }) => matches(module))));
}

/** The shortest names by which PEFT finds exactly these modules: the last parts, or whole names if those would match more. */
export function targetModules(config: ModelConfig, names: readonly string[]): readonly string[] {
  const last = [...new Set(names.map(lastPart))].sort();
  const found = [...adaptableModules(config).keys()].filter((name) => last.includes(lastPart(name)));
  return found.length === names.length ? last : names;
}

/** By the name of the weight without `.weight`, like the modules of transformers. Has the head, tied or not. */
export function adaptableModules(config: ModelConfig): ReadonlyMap<string, AdaptableModule> {
  const { embeddings, inputFirst: blocksInputFirst, tiedHead } = familyOf(config);
  const modules = new Map<string, AdaptableModule>();
  for (const [weight, { shape }] of parameterLayout(config)) {
    if (shape.length !== 2 || !weight.endsWith('.weight')) continue;
    const [rows = 0, columns = 0] = shape;
    const kind = embeddings.includes(weight) ? 'embedding' : 'projection';
    const inputFirst = kind === 'embedding' || (blocksInputFirst && weight !== tiedHead.head);
    const [inputSize, outputSize] = inputFirst ? [rows, columns] : [columns, rows];
    modules.set(moduleOf(weight), { kind, inputSize, outputSize, inputFirst, weight });
  }
  if (config.tied) {
    const { vocabularySize: outputSize, hiddenSize: inputSize } = config;
    const weight = tiedHead.embedding;
    modules.set(headName(config), { kind: 'projection', inputSize, outputSize, inputFirst: false, weight });
  }
  return modules;
}

const moduleOf = (weight: string): string => weight.replace(/\.weight$/, '');

/** The head's name as a module of transformers, as `lm_head`. */
export const headName = (config: ModelConfig): string => moduleOf(familyOf(config).tiedHead.head);

const isTiedHead = (name: string, config: ModelConfig): boolean => config.tied && name === headName(config);

const lastPart = (name: string): string => name.split('.').at(-1) ?? name;

function noModule(target: string, modules: readonly (readonly [string, AdaptableModule])[]): UserError {
  const names = [...new Set(modules.map(([name]) => lastPart(name)))];
  return new UserError({
    code: 'unknown-lora-target',
    message: `\`lora.targets\` has \`${target}\`, which matches no projection or embedding of the model`,
    help: `the model has ${names.map((name) => `\`${name}\``).join(', ')}; or write \`targets: all-linear\``,
  });
}
