import { constants, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject, UserError } from '../../core/index.ts';
import { readJsonFile, type TensorToWrite, writeSafetensors } from '../../formats/index.ts';
import { familyOf, type ModelConfig, parameterLayout, parseModelConfig } from '../model-config.ts';
import { openShards, type Shards } from './open-shards.ts';

/** A model in Hugging Face's layout, checked: its configuration is supported and every parameter exists in its shape. */
export interface ModelFolder extends AsyncDisposable {
  readonly path: string;
  readonly config: ModelConfig;
  /** A parameter's values, row by row. */
  readonly read: (name: string) => Promise<Float32Array>;
}

/** Opens a folder with config.json and model.safetensors (or its shards). Throws a UserError if they do not match. */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const config = await readModelConfig(path);
  const shards = await openShards(path);
  try {
    const storedNames = await findParameters({ path, config, shards });
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
export const readModelConfig = (folder: string): Promise<ModelConfig> =>
  readConfig(join(folder, 'config.json'));

async function readConfig(path: string): Promise<ModelConfig> {
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
async function findParameters({ path, config, shards }: Checkpoint): Promise<ReadonlyMap<string, string>> {
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
  for (const name of shards.tensors.keys()) {
    if (used.has(name) || ignored(name)) continue;
    if (name !== tiedHead.head || !(await headEqualsEmbedding({ path, config, shards }, storedNames)))
      throw misfit(path, `has the tensor \`${name}\`, which its config.json does not ask for`);
  }
  return storedNames;
}

async function headEqualsEmbedding(
  { config, shards }: Checkpoint,
  storedNames: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { head, embedding } = familyOf(config).tiedHead;
  const stored = storedNames.get(embedding) ?? embedding;
  const [a, b] = await Promise.all([
    shards.tensors.get(head)?.readFloat32(head),
    shards.tensors.get(stored)?.readFloat32(stored),
  ]);
  return a !== undefined && b !== undefined && Buffer.from(a.buffer).equals(Buffer.from(b.buffer));
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
  await writeFile(
    join(path, 'config.json'),
    `${JSON.stringify(inSinglePrecision(config.json), undefined, 2)}\n`,
  );
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

const untiedConfig = (path: string, { json }: ModelConfig): ModelConfig =>
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
