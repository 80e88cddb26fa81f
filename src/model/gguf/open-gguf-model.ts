import {
  type GgufFile,
  type GgufMetadata,
  openGguf,
  type QuantizedBlocks,
  unsupportedGguf,
} from '../../formats/index.ts';
import { type ModelConfig, parameterLayout, parseModelConfig } from '../model-config.ts';
import { gpt2Architecture, llamaArchitecture } from './architectures.ts';
import { gemmaArchitecture } from './gemma-architecture.ts';
import {
  type GgufArchitecture,
  type StoredParameter,
  storedParameter,
  undoPermutation,
  undoRowPermutation,
} from './gguf-architecture.ts';
import { gptNeoxArchitecture, phiArchitecture } from './parallel-architectures.ts';
import { readRotaryFactors, rotaryTensors } from './rope-scaling.ts';

/** The architectures that can be read, by llama.cpp's name. */
export const ggufArchitectures = new Map<unknown, GgufArchitecture>([
  ['llama', llamaArchitecture('llama')],
  ['qwen2', llamaArchitecture('qwen2')],
  ['qwen3', llamaArchitecture('qwen3')],
  ['qwen3moe', llamaArchitecture('qwen3moe')],
  ['phi3', llamaArchitecture('phi3')],
  ['olmo2', llamaArchitecture('olmo2')],
  ['gptneox', gptNeoxArchitecture],
  ['phi2', phiArchitecture],
  ['gemma2', gemmaArchitecture('gemma2')],
  ['gemma3', gemmaArchitecture('gemma3')],
  ['gpt2', gpt2Architecture],
]);

/** A model in a GGUF file, presented as a folder in Hugging Face's layout: its config.json and its parameters. */
export interface GgufModel extends AsyncDisposable {
  readonly path: string;
  readonly config: ModelConfig;
  /** Describes the tokenizer, among others. */
  readonly metadata: GgufMetadata;
  /** A parameter's values, row by row. */
  readonly read: (name: string) => Promise<Float32Array>;
  /** A matrix as the file stores it, with its outputs as rows; undefined for what the file holds in float. */
  readonly readQuantized: (name: string) => Promise<QuantizedBlocks | undefined>;
}

/**
 * Opens a GGUF file as a model, with the configuration that its metadata describe or the given one. Throws a UserError if it
 * is not supported, or of another family than the given one.
 */
export async function openGgufModel(path: string, given?: ModelConfig): Promise<GgufModel> {
  const file = await openGguf(path);
  try {
    return await modelOf(file, given);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function modelOf(file: GgufFile, given: ModelConfig | undefined): Promise<GgufModel> {
  const { path, metadata } = file;
  const name = metadata.get('general.architecture');
  const architecture = ggufArchitectures.get(name);
  if (architecture === undefined) {
    const known = [...ggufArchitectures.keys()].join(', ');
    throw unsupportedGguf(
      path,
      `has the architecture ${JSON.stringify(name ?? null)}; supported are: ${known}`,
    );
  }
  const rotaryFactors = await readRotaryFactors(file);
  const described = parseModelConfig(path, architecture.config({ ...file, rotaryFactors }));
  if (given !== undefined && given.family !== described.family)
    throw unsupportedGguf(
      path,
      `holds a model of ${described.family}, and its config.json one of ${given.family}`,
    );
  const config = given ?? described;
  // Check the number of layers before anything is allocated for each.
  if (config.layers > file.tensors.size)
    throw unsupportedGguf(path, `claims ${config.layers} layers, but has ${file.tensors.size} tensors`);
  const stored = findParameters(file, config, architecture);
  const placeOf = (parameter: string) => {
    const found = stored.get(parameter);
    if (found === undefined) throw new Error(`No parameter has the name ${parameter}`);
    const whole = file.tensors.get(found.name)?.shape ?? [];
    return { ...found, shape: found.expert === undefined ? whole : whole.slice(1) };
  };
  return {
    ...{ path, metadata, config },
    async read(parameter) {
      const { name, expert, ...order } = placeOf(parameter);
      return undoPermutation({ values: await file.read(name, expert), ...order });
    },
    async readQuantized(parameter) {
      const { name, expert, permutation, shape } = placeOf(parameter);
      if (shape.length !== 2) return undefined;
      const blocks = await file.readQuantized(name, expert);
      return blocks && undoRowPermutation(blocks, { rows: shape[0] ?? 0, permutation });
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

const expertCount = (config: ModelConfig): number =>
  (config.family === 'llama' ? config.mixture?.experts : undefined) ?? 0;

/** Parameter -> its stored tensor. Throws if one is missing, has another shape or is left over. */
function findParameters(
  { path, tensors }: GgufFile,
  config: ModelConfig,
  architecture: GgufArchitecture,
): ReadonlyMap<string, StoredParameter> {
  const stored = new Map<string, StoredParameter>();
  const leftOver = new Set(tensors.keys());
  for (const [parameter, { shape }] of parameterLayout(config)) {
    const tensor = storedParameter(architecture, parameter, config);
    const found = tensors.get(tensor.name)?.shape;
    if (found === undefined) throw unsupportedGguf(path, `lacks the tensor \`${tensor.name}\``);
    const own = tensor.permutation === 'transposed' ? shape.toReversed() : shape;
    const expected = tensor.expert === undefined ? own : [expertCount(config), ...own];
    if (found.join() !== expected.join())
      throw unsupportedGguf(
        path,
        `has \`${tensor.name}\` of shape [${found}], but its metadata asks for [${expected}]`,
      );
    stored.set(parameter, tensor);
    leftOver.delete(tensor.name);
  }
  if (config.rotary !== undefined) for (const name of rotaryTensors) leftOver.delete(name);
  for (const name of leftOver)
    throw unsupportedGguf(path, `has the tensor \`${name}\`, which is not supported`);
  return stored;
}
