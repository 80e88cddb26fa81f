import { type GgufFile, type GgufMetadata, openGguf, unsupportedGguf } from '../../formats/index.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import { type ModelConfig, parameterLayout, parseModelConfig } from '../model-config.ts';
import { gpt2Architecture, llamaArchitecture } from './architectures.ts';
import { gemmaArchitecture } from './gemma-architecture.ts';
import {
  type GgufArchitecture,
  type StoredParameter,
  storedParameter,
  undoPermutation,
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
interface GgufModel extends ModelFolder {
  /** Describes the tokenizer, among others. */
  readonly metadata: GgufMetadata;
}

/** Opens a GGUF file as a model. Throws a UserError if it is not supported. */
export async function openGgufModel(path: string): Promise<GgufModel> {
  const file = await openGguf(path);
  try {
    return await modelOf(file);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

async function modelOf(file: GgufFile): Promise<GgufModel> {
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
  const config = parseModelConfig(path, architecture.config({ ...file, rotaryFactors }));
  // Check the number of layers before anything is allocated for each.
  if (config.layers > file.tensors.size)
    throw unsupportedGguf(path, `claims ${config.layers} layers, but has ${file.tensors.size} tensors`);
  const stored = findParameters(file, config, architecture);
  const read = async (parameter: string) => {
    const found = stored.get(parameter);
    if (found === undefined) throw new Error(`No parameter has the name ${parameter}`);
    const { name, permutation, expert } = found;
    const shape = file.tensors.get(name)?.shape ?? [];
    const values = await file.read(name, expert);
    return undoPermutation({ values, shape: expert === undefined ? shape : shape.slice(1), permutation });
  };
  return { path, metadata, config, read, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
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
