import { type GgufFile, type GgufMetadata, openGguf, unsupportedGguf } from '../../formats/index.ts';
import type { ModelFolder } from '../folder/model-folder.ts';
import { type ModelConfig, parameterLayout, parseModelConfig } from '../model-config.ts';
import { gpt2Architecture, llamaArchitecture } from './architectures.ts';
import {
  type GgufArchitecture,
  restoreOrder,
  type StoredParameter,
  storedParameter,
} from './gguf-architecture.ts';

const architectures = new Map<unknown, GgufArchitecture>([
  ['llama', llamaArchitecture('llama')],
  ['qwen2', llamaArchitecture('qwen2')],
  ['phi3', llamaArchitecture('phi3')],
  ['gpt2', gpt2Architecture],
]);

/** A model in a GGUF file, seen as a folder in Hugging Face's layout: its config.json and its parameters' names and values. */
interface GgufModel extends ModelFolder {
  /** Where the tokenizer is described, among others. */
  readonly metadata: GgufMetadata;
}

/** Opens a GGUF file as a model. Throws a UserError where it is none that is supported. */
export async function openGgufModel(path: string): Promise<GgufModel> {
  const file = await openGguf(path);
  try {
    return describe(file);
  } catch (error) {
    await file[Symbol.asyncDispose]();
    throw error;
  }
}

function describe(file: GgufFile): GgufModel {
  const { path, metadata } = file;
  const name = metadata.get('general.architecture');
  const architecture = architectures.get(name);
  if (architecture === undefined) {
    const known = [...architectures.keys()].join(', ');
    throw unsupportedGguf(
      path,
      `has the architecture ${JSON.stringify(name ?? null)}; these are known: ${known}`,
    );
  }
  const config = parseModelConfig(path, architecture.config(file));
  // What a parameter takes is counted only where the file is large enough for so many layers.
  if (config.layers > file.tensors.size)
    throw unsupportedGguf(path, `claims ${config.layers} layers, but has ${file.tensors.size} tensors`);
  const places = placeParameters({ file, config, architecture });
  const read = async (parameter: string) => {
    const place = places.get(parameter);
    if (place === undefined) throw new Error(`No parameter has the name ${parameter}`);
    const shape = file.tensors.get(place.name)?.shape ?? [];
    return restoreOrder({ values: await file.read(place.name), shape, arrangement: place.arrangement });
  };
  return { path, metadata, config, read, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
}

interface Placement {
  readonly file: GgufFile;
  readonly config: ModelConfig;
  readonly architecture: GgufArchitecture;
}

/** Parameter -> its tensor. Throws where one is missing, misshapen or left over. */
function placeParameters({ file, config, architecture }: Placement): ReadonlyMap<string, StoredParameter> {
  const places = new Map<string, StoredParameter>();
  const leftOver = new Set(file.tensors.keys());
  for (const [parameter, { shape }] of parameterLayout(config)) {
    const place = storedParameter(architecture, parameter, config);
    const found = file.tensors.get(place.name)?.shape;
    if (found === undefined) throw unsupportedGguf(file.path, `lacks the tensor \`${place.name}\``);
    const expected = place.arrangement === 'transposed' ? shape.toReversed() : shape;
    if (found.join() !== expected.join())
      throw unsupportedGguf(
        file.path,
        `has \`${place.name}\` of shape [${found}], where its metadata asks for [${expected}]`,
      );
    places.set(parameter, place);
    leftOver.delete(place.name);
  }
  for (const name of leftOver)
    throw unsupportedGguf(file.path, `has the tensor \`${name}\`, which is not supported`);
  return places;
}
