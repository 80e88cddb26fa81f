import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { constants, copyFile, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject, UserError } from '../../core/index.ts';
import {
  type QuantizedBlocks,
  readJsonFile,
  type TensorToWrite,
  writeSafetensors,
} from '../../formats/index.ts';
import { openGgufModel } from '../gguf/open-gguf-model.ts';
import { familyOf, type ModelConfig, parameterLayout, parseModelConfig } from '../model-config.ts';
import { openShards, type Shards } from './open-shards.ts';

/** A model in Hugging Face's layout, checked: its configuration is supported and every parameter exists in its shape. */
export interface ModelFolder extends AsyncDisposable {
  readonly path: string;
  /** In memory it may differ from config.json: a tied head that the file holds with other values is untied. */
  readonly config: ModelConfig;
  /** A parameter's values, row by row. */
  readonly read: (name: string) => Promise<Float32Array>;
  /** A matrix in blocks, as the checkpoint has it, with its outputs as rows; undefined for what it holds in float. */
  readonly readQuantized?: ((name: string) => Promise<QuantizedBlocks | undefined>) | undefined;
}

/** The checkpoint of a folder whose weights are as a GGUF file has them. */
export const quantizedFile = 'model.gguf';

/** Whether a folder's weights are as a GGUF file has them. */
export const isQuantizedFolder = (folder: string): boolean => existsSync(join(folder, quantizedFile));

/**
 * Opens a folder with config.json and a checkpoint: model.safetensors, its shards, or model.gguf. Throws a UserError if they
 * do not match.
 */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const declared = await readModelConfig(path);
  if (isQuantizedFolder(path)) return { ...(await openGgufModel(join(path, quantizedFile), declared)), path };
  const shards = await openShards(path);
  try {
    const config = (await hasOwnHead(declared, shards)) ? withOwnHead(path, declared) : declared;
    const storedNames = findParameters({ path, config, shards });
    const read = async (name: string) => {
      const stored = storedNames.get(name) ?? name;
      const file = shards.tensors.get(stored);
      if (file === undefined) throw new Error(`No parameter has the name ${name}`);
      return file.readFloat32(stored);
    };
    return { path, config, read, [Symbol.asyncDispose]: () => shards[Symbol.asyncDispose]() };
  } catch (error) {
    await shards[Symbol.asyncDispose]();
    throw error;
  }
}

/** Reads a model folder's config.json without its weights. */
export async function readModelConfig(folder: string): Promise<ModelConfig> {
  const path = join(folder, 'config.json');
  const json = await readJsonFile(path);
  if (json === undefined)
    throw new UserError({
      code: 'bad-model-folder',
      message: `${path} is missing or cannot be read`,
      help: 'a model is a folder with config.json and model.safetensors',
    });
  if (!isObject(json))
    throw new UserError({ code: 'bad-model-folder', message: `${path} is not a JSON object` });
  return parseModelConfig(path, json);
}

interface Checkpoint {
  readonly path: string;
  readonly config: ModelConfig;
  readonly shards: Shards;
}

/** Parameter -> the name of its stored tensor. Throws if one is missing, has another shape or is left over. */
function findParameters({ path, config, shards }: Checkpoint): ReadonlyMap<string, string> {
  const { aliases, ignored, tiedHead } = familyOf(config);
  const storedNames = new Map<string, string>();
  for (const [name, { shape }] of parameterLayout(config)) {
    const stored = aliases(name).find((alias) => shards.tensors.has(alias));
    if (stored === undefined) throw misfit(path, `has no tensor \`${name}\`, which its config.json asks for`);
    const found = shards.tensors.get(stored)?.tensors.get(stored)?.shape ?? [];
    if (found.join() !== shape.join())
      throw misfit(path, `has \`${stored}\` of shape [${found}], but config.json asks for [${shape}]`);
    storedNames.set(name, stored);
  }
  const used = new Set(storedNames.values());
  for (const name of shards.tensors.keys())
    if (!used.has(name) && !ignored(name) && name !== tiedHead.head)
      throw misfit(path, `has the tensor \`${name}\`, which its config.json does not ask for`);
  return storedNames;
}

/** Whether config.json calls the head tied, but the file has one that is not a copy of the embedding. */
async function hasOwnHead(config: ModelConfig, { tensors }: Shards): Promise<boolean> {
  const { aliases, tiedHead } = familyOf(config);
  if (!config.tied || !tensors.has(tiedHead.head)) return false;
  const embedding = aliases(tiedHead.embedding).find((alias) => tensors.has(alias)) ?? tiedHead.embedding;
  // One after the other, and in pieces: each may take gigabytes, and a hash takes less than 2 GiB at a time.
  const digest = async (name: string) => {
    const values = (await tensors.get(name)?.readFloat32(name)) ?? new Float32Array();
    const hash = createHash('sha256');
    for (let at = 0; at < values.length; at += hashedAtOnce)
      hash.update(values.subarray(at, at + hashedAtOnce));
    return hash.digest('hex');
  };
  return (await digest(tiedHead.head)) !== (await digest(embedding));
}

const hashedAtOnce = 2 ** 24;

function withOwnHead(path: string, config: ModelConfig): ModelConfig {
  const { head, embedding } = familyOf(config).tiedHead;
  const note = `config.json ties \`${head}\` to \`${embedding}\`, but the file has both with different values: both are used, untied`;
  return { ...untiedConfig(path, config), notes: [...config.notes, note] };
}

const misfit = (path: string, what: string) =>
  new UserError({
    code: 'bad-model-folder',
    message: `the checkpoint in ${path} ${what}`,
    help: 'config.json and model.safetensors must belong to the same model; see also `tie_word_embeddings`',
  });

export interface ModelToWrite {
  readonly config: ModelConfig;
  /** Returns a parameter's values, row by row; called once for each, one at a time. */
  readonly read: (name: string) => Float32Array | Promise<Float32Array>;
}

/** Writes config.json and model.safetensors into a folder, and creates it if necessary. Leaves out the tokenizer. */
export async function writeModelFolder(path: string, { config, read }: ModelToWrite): Promise<void> {
  await mkdir(path, { recursive: true });
  await writeConfig(path, config);
  const { aliases } = familyOf(config);
  const tensors = [...parameterLayout(config)].map(
    ([name, { shape }]): TensorToWrite => ({
      name: aliases(name)[0] ?? name,
      dtype: 'F32',
      shape,
      read: () => read(name),
    }),
  );
  // transformers requires the format `pt` in a checkpoint's metadata.
  await writeSafetensors(join(path, 'model.safetensors'), { tensors, metadata: { format: 'pt' } });
}

/** Writes config.json and a copy of a GGUF file, whose weights stay as they are. Leaves out the tokenizer. */
export async function writeQuantizedFolder(
  path: string,
  { config, gguf }: { readonly config: ModelConfig; readonly gguf: string },
): Promise<void> {
  await copyFile(gguf, join(path, quantizedFile), constants.COPYFILE_FICLONE);
  await writeConfig(path, config);
}

const writeConfig = (path: string, { json }: ModelConfig): Promise<void> =>
  writeFile(join(path, 'config.json'), `${JSON.stringify(inSinglePrecision(json), undefined, 2)}\n`);

/** Weights read as bfloat16 are written as float32; with another type in config.json they would be rounded again. */
function inSinglePrecision(json: JsonObject): JsonObject {
  const names = ['dtype', 'torch_dtype'].filter((name) => Object.hasOwn(json, name));
  return { ...json, ...Object.fromEntries(names.map((name) => [name, 'float32'])) };
}

/** The same model with a separate head, which starts as a copy of the token embedding. */
export function untiedModel({ path, config, read }: ModelFolder): ModelToWrite {
  const { head, embedding } = familyOf(config).tiedHead;
  const readUntied = (name: string) => read(name === head && config.tied ? embedding : name);
  return { config: untiedConfig(path, config), read: readUntied };
}

export const untiedConfig = (path: string, { json }: ModelConfig): ModelConfig =>
  parseModelConfig(path, { ...json, tie_word_embeddings: false });

/** Small files for other programs; generation_config.json also names the tokens that end an answer. */
const auxiliaryFiles = new Set([
  'generation_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
]);

/** Copies the auxiliary files that exist from one model's folder to another. */
export async function copyAuxiliaryFiles({ from, to }: { from: string; to: string }): Promise<void> {
  for (const name of (await readdir(from)).filter((entry) => auxiliaryFiles.has(entry)))
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
}
