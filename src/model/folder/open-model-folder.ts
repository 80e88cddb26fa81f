import { join } from 'node:path';
import type { JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { readJsonFile } from '../json/read-json-file.ts';
import { type ModelConfig, parseModelConfig } from '../model-config.ts';
import { parameterLayout } from '../parameter-layout.ts';
import { checkpointNames } from './checkpoint-names.ts';
import { openShards, type Shards } from './open-shards.ts';

/** A model in Hugging Face's layout, checked: its configuration is supported and every parameter is there in its shape. */
export interface ModelFolder extends AsyncDisposable {
  readonly path: string;
  readonly config: ModelConfig;
  /** The values of the parameter of that name, row by row. */
  readonly read: (name: string) => Promise<Float32Array>;
}

/** Opens a folder with config.json and model.safetensors (or its shards). Throws a UserError where they do not fit together. */
export async function openModelFolder(path: string): Promise<ModelFolder> {
  const config = await readModelConfig(path);
  const shards = await openShards(path);
  try {
    const places = await placeParameters({ path, config, shards });
    const read = async (name: string) => {
      const stored = places.get(name) ?? name;
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

/** What the config.json of a model's folder says, without a look at its weights. */
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
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError({ code: 'bad-model-folder', message: `${path} is not a JSON object` });
  return parseModelConfig(path, json as JsonObject); // JSON.parse makes nothing else
}

interface Checkpoint {
  readonly path: string;
  readonly config: ModelConfig;
  readonly shards: Shards;
}

/** Parameter -> the name under which its tensor is stored. Throws where one is missing, misshapen or left over. */
async function placeParameters({ path, config, shards }: Checkpoint): Promise<ReadonlyMap<string, string>> {
  const names = checkpointNames(config);
  const places = new Map<string, string>();
  for (const [name, { shape }] of parameterLayout(config)) {
    const stored = names.aliases(name).find((alias) => shards.tensors.has(alias));
    if (stored === undefined) throw misfit(path, `has no tensor \`${name}\`, which its config.json asks for`);
    const found = shards.tensors.get(stored)?.tensors.get(stored)?.shape ?? [];
    if (found.join() !== shape.join())
      throw misfit(path, `has \`${stored}\` of shape [${found}], where config.json asks for [${shape}]`);
    places.set(name, stored);
  }
  const used = new Set(places.values());
  for (const name of shards.tensors.keys()) {
    if (used.has(name) || names.ignored(name)) continue;
    if (name !== names.tiedHead.head || !(await headEqualsEmbedding({ path, config, shards }, places)))
      throw misfit(path, `has the tensor \`${name}\`, which its config.json does not ask for`);
  }
  return places;
}

async function headEqualsEmbedding(
  { config, shards }: Checkpoint,
  places: ReadonlyMap<string, string>,
): Promise<boolean> {
  const { head, embedding } = checkpointNames(config).tiedHead;
  const stored = places.get(embedding) ?? embedding;
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
    help: 'config.json and model.safetensors have to be of the same model; see also `tie_word_embeddings`',
  });
