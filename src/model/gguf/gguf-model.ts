import { type Json, type JsonObject, UserError } from '../../core/index.ts';
import {
  elementCount,
  type GgufTensorToWrite,
  type GgufToWrite,
  type GgufValue,
  plainValue,
  type WritableFormat,
} from '../../formats/index.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import { familyOf, type ModelConfig, parameterLayout, parseModelConfig } from '../model-config.ts';
import {
  type GgufArchitecture,
  permute,
  type StoredParameter,
  storedParameter,
} from './gguf-architecture.ts';
import { type GgufHyperparameters, ggufHyperparameters } from './hyperparameters.ts';
import { ggufArchitectures } from './open-gguf-model.ts';
import { type GgufType, ggufTypes, tensorFormat } from './quantization-mix.ts';

interface ModelToWrite {
  readonly model: ModelFolder;
  readonly type: GgufType;
  /** For people. */
  readonly name: string;
  /** The keys `tokenizer.*`. */
  readonly tokenizer: ReadonlyMap<string, GgufValue>;
  /** A generation_config.json. */
  readonly generation: JsonObject;
}

interface GgufModelToWrite extends GgufToWrite {
  /** For the user. */
  readonly notes: readonly string[];
}

/**
 * A model as a GGUF file, for `writeGguf`. Throws a UserError if the file would be read as another model, because it has no
 * place for something in the model's configuration.
 */
export function ggufModel({ model, type, name, tokenizer, generation }: ModelToWrite): GgufModelToWrite {
  const { config } = model;
  const parameters = ggufHyperparameters(config);
  const { architecture, notes } = parameters;
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', { text: architecture }],
    ['general.type', { text: 'model' }],
    ['general.name', { text: name }],
    ['general.file_type', { uint32: ggufTypes[type].id }],
    ['general.quantization_version', { uint32: 2 }],
    ...samplingOf(generation),
    ...parameters.metadata,
    ...tokenizer,
  ]);
  const written = architectureNamed(architecture);
  const tensors = tensorsOf(model, { type, architecture: written, parameters });
  refuseOtherModel(model, { architecture: written, metadata, tensors, parameters });
  return { metadata, tensors, notes };
}

export function architectureNamed(name: string): GgufArchitecture {
  const found = ggufArchitectures.get(name);
  if (found === undefined) throw new Error(`No architecture has the name ${name}`);
  return found;
}

/** A parameter in a tensor; the experts of a layer share one, in their order. */
interface TensorPart {
  readonly source: string;
  readonly permutation: StoredParameter['permutation'];
  readonly isExpert: boolean;
}

interface Written {
  readonly architecture: GgufArchitecture;
  readonly parameters: GgufHyperparameters;
}

function tensorsOf(
  { config, read }: ModelFolder,
  { type, architecture, parameters }: Written & { readonly type: GgufType },
): readonly GgufTensorToWrite[] {
  const { head, embedding } = familyOf(config).tiedHead;
  const layout = parameterLayout(config);
  const copiesHead = config.tied && parameters.storesTiedHead;
  const heads = copiesHead ? [[head, embedding] as const] : [];
  const stored = [...[...layout.keys()].map((name) => [name, name] as const), ...heads];
  const model = {
    ...config,
    ...{ type, tied: config.tied && !copiesHead, architecture: parameters.architecture },
    experts: config.family === 'llama' ? (config.mixture?.experts ?? 0) : 0,
  };
  const parts = new Map<string, TensorPart[]>();
  for (const [parameter, source] of stored) {
    const { name, permutation, expert } = storedParameter(architecture, parameter, config);
    const part = { source, permutation, isExpert: expert !== undefined };
    parts.set(name, [...(parts.get(name) ?? []), part]);
  }
  const tensors = [...parts].map(([name, [first, ...others]]): GgufTensorToWrite => {
    if (first === undefined) throw new Error(`${name} has no parameter`);
    const own = layout.get(first.source)?.shape ?? [];
    const order = first.permutation === 'transposed' ? own.toReversed() : own;
    const shape = first.isExpert ? [1 + others.length, ...order] : order;
    const format = tensorFormat({ name, shape }, model);
    const readPart = async ({ source, permutation }: TensorPart) => {
      const values = await read(source);
      refuseUnstorable(name, format, values);
      return permute({ values, shape: own, permutation });
    };
    return {
      ...{ name, shape, format },
      async read() {
        if (others.length === 0) return await readPart(first);
        const size = elementCount(own);
        const values = new Float32Array(size * (1 + others.length));
        for (const [index, part] of [first, ...others].entries())
          values.set(await readPart(part), index * size);
        return values;
      },
    };
  });
  const extra = parameters.extra.map(
    ({ name, values }): GgufTensorToWrite => ({
      name,
      shape: [values.length],
      format: 'F32',
      read: async () => values,
    }),
  );
  return [...extra, ...tensors];
}

/** From here on, rounding to binary16, as blocks store their scales, gives infinity. */
const tooLarge = 65_520;

function refuseUnstorable(name: string, format: WritableFormat, values: Float32Array): void {
  if (format === 'F32' || format === 'BF16') return;
  const found = values.find((value) => !(Math.abs(value) < tooLarge));
  if (found !== undefined)
    throw new UserError({
      code: 'out-of-range',
      message: `\`${name}\` holds ${found}, which ${format} cannot store`,
      help: 'export with --dtype bfloat16 or float32',
    });
}

/** Reads the header as it would be read back, and compares everything that the forward pass depends on. */
function refuseOtherModel(
  { path, config }: ModelFolder,
  {
    architecture,
    parameters,
    metadata,
    tensors,
  }: Written & {
    readonly metadata: ReadonlyMap<string, GgufValue>;
    readonly tensors: readonly GgufTensorToWrite[];
  },
): void {
  const header = {
    path,
    metadata: new Map([...metadata].map(([key, value]) => [key, plainValue(value)])),
    tensors: new Map(tensors.map((tensor) => [tensor.name, { ...tensor, begin: 0, end: 0 }])),
  };
  const again = fieldsOf(parseModelConfig(path, architecture.config(header)));
  const known = new Set<string>([...parameters.unread, ...(parameters.storesTiedHead ? ['tied'] : [])]);
  const differing = Object.entries(fieldsOf(config)).find(
    ([name, value]) => again[name] !== value && !known.has(name),
  );
  if (differing === undefined) return;
  const [field, value] = differing;
  const name = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  throw new UserError({
    code: 'unsupported-model',
    message: `the model cannot be written as GGUF, which has no place for its \`${name}\`: ${value}`,
    help: 'export it with --format hf',
  });
}

/** The fields of a configuration as text; numbers in single precision. The file that it comes from may differ. */
function fieldsOf({ json: _, notes: __, ...all }: ModelConfig): Readonly<Record<string, string | undefined>> {
  // The balance of experts concerns training alone.
  const fields = 'mixture' in all && all.mixture ? { ...all, mixture: { ...all.mixture, balance: 0 } } : all;
  const rounded = (_: string, value: unknown) => (typeof value === 'number' ? Math.fround(value) : value);
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value, rounded)]),
  );
}

/** Fields of generation_config.json -> llama.cpp's keys. */
const samplingKeys = {
  temperature: 'temp',
  top_k: 'top_k',
  top_p: 'top_p',
  min_p: 'min_p',
  repetition_penalty: 'penalty_repeat',
};

/** The settings that llama.cpp's programs start with. Without sampling, they take the most likely token. */
function samplingOf(generation: JsonObject): readonly (readonly [string, GgufValue])[] {
  if (generation.do_sample === false) return [['general.sampling.temp', { float32: 0 }]];
  return Object.entries(samplingKeys).flatMap(([field, key]) => {
    const value: Json | undefined = generation[field];
    if (typeof value !== 'number' || value < 0) return [];
    const typed = field === 'top_k' ? { uint32: Math.trunc(value) } : { float32: value };
    return [[`general.sampling.${key}`, typed] as const];
  });
}
