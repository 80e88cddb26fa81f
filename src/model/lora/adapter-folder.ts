import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type JsonObject, UserError } from '../../core/index.ts';
import {
  openSafetensors,
  readJsonFile,
  type SafetensorsFile,
  type TensorToWrite,
  writeSafetensors,
} from '../../formats/index.ts';
import { familyOf, type ModelConfig, parameterLayout } from '../model-config.ts';
import { type AdapterLayout, adapterLayout, adapterTensors, type LoraSettings } from './adapter-layout.ts';
import { checkPeftConfig, parsePeftConfig } from './peft-config.ts';

/** An adapter in PEFT's layout, checked: it fits the model, and every tensor is there in its shape. */
export interface AdapterFolder extends AsyncDisposable {
  readonly settings: LoraSettings;
  readonly layout: AdapterLayout;
  /** Parameters of the base that the adapter brings along without training them. */
  readonly fixed: readonly string[];
  /** The values of a tensor of the layout or a fixed parameter, by its name without the prefix. */
  readonly read: (name: string) => Promise<Float32Array>;
}

const configFile = 'adapter_config.json';
const weightsFile = 'adapter_model.safetensors';

/** In front of every tensor's name. */
const prefix = 'base_model.model.';

/** Whether a folder holds an adapter, and no whole model. */
export const isAdapterFolder = (folder: string): boolean => existsSync(join(folder, configFile));

/** Opens a folder with adapter_config.json and adapter_model.safetensors. Throws a UserError if they do not fit the model. */
export async function openAdapterFolder(folder: string, model: ModelConfig): Promise<AdapterFolder> {
  const settings = await readAdapterSettings(folder, model);
  const layout = adapterLayout(model, settings);
  const file = await openWeights(folder);
  try {
    const stored = await matchTensors({ file, model, layout, settings });
    const read = (name: string) => file.readFloat32(stored.names.get(name) ?? name);
    return { settings, layout, fixed: stored.fixed, read, [Symbol.asyncDispose]: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Reads an adapter's configuration for a model, without its weights. */
export async function readAdapterSettings(folder: string, model: ModelConfig): Promise<LoraSettings> {
  const path = join(folder, configFile);
  return parsePeftConfig(path, { json: await readAdapterConfig(folder), model });
}

/** An adapter's configuration as it is written. Throws a UserError if there is none. */
export async function readAdapterConfig(folder: string): Promise<JsonObject> {
  const path = join(folder, configFile);
  const json = await readJsonFile(path);
  if (isObject(json)) return json;
  const isModel = existsSync(join(folder, 'config.json'));
  throw new UserError({
    code: 'no-adapter',
    message:
      json === undefined ? `${folder} has no adapter: ${configFile} is missing` : `${path} is not a map`,
    help: isModel
      ? 'it is a whole model: only a training with `lora` makes an adapter'
      : 'an adapter is a folder with adapter_config.json and adapter_model.safetensors, as PEFT writes it',
  });
}

/** Throws a UserError if an adapter's configuration is not supported, whichever its base is. Reads no weights. */
export async function checkAdapterConfig(folder: string): Promise<void> {
  checkPeftConfig(join(folder, configFile), await readAdapterConfig(folder));
}

/** The same, and whether its file of weights can be opened. */
export async function checkAdapter(folder: string): Promise<void> {
  await checkAdapterConfig(folder);
  await using _file = await openWeights(folder);
}

async function openWeights(folder: string): Promise<SafetensorsFile> {
  const path = join(folder, weightsFile);
  if (!existsSync(path)) throw noWeights(folder);
  return openSafetensors(path);
}

const noWeights = (folder: string): UserError =>
  new UserError({
    code: 'no-adapter',
    message: `${folder} has no ${weightsFile}`,
    help: existsSync(join(folder, 'adapter_model.bin'))
      ? 'adapter_model.bin is not read, because that can run code: save it again with a PEFT that writes safetensors'
      : 'the weights of an adapter are in that file, beside adapter_config.json',
  });

interface StoredAdapter {
  readonly file: SafetensorsFile;
  readonly model: ModelConfig;
  readonly layout: AdapterLayout;
  readonly settings: LoraSettings;
}

/** Finds every tensor of the layout, and the parameters that the adapter brings along. Throws if anything is missing or left over. */
async function matchTensors(adapter: StoredAdapter): Promise<{
  readonly names: ReadonlyMap<string, string>;
  readonly fixed: readonly string[];
}> {
  const { file, model, layout, settings } = adapter;
  const names = new Map(
    [...file.tensors.keys()]
      .filter((stored) => !stored.includes('.original_module.')) // the base's own
      .map((stored) => [plainName(stored), stored]),
  );
  const expected = adapterTensors(layout, settings);
  const parameters = parameterLayout(model);
  const { head, embedding } = familyOf(model).tiedHead;
  const problems: string[] = [];
  if (layout.targets.size + layout.whole.size === 0) problems.push('it matches nothing in this model');
  for (const [name, shape] of expected) {
    const stored = names.get(name);
    if (stored === undefined) problems.push(`\`${prefix}${name}\` is missing`);
    else problems.push(...misshapen(adapter, { stored, shape }));
  }
  const fixed: string[] = [];
  for (const [name, stored] of names) {
    if (expected.has(name)) continue;
    const shape = parameters.get(name)?.shape;
    if (shape !== undefined) {
      problems.push(...misshapen(adapter, { stored, shape }));
      fixed.push(name);
    } else if (model.tied && name === head && !names.has(embedding)) {
      problems.push(...misshapen(adapter, { stored, shape: parameters.get(embedding)?.shape ?? [] }));
      fixed.push(embedding);
      names.set(embedding, stored);
    } else if (!(await isTiedHead(adapter, { name, names })))
      problems.push(`\`${stored}\` belongs to nothing in this model`);
  }
  if (problems.length === 0) return { names, fixed };
  const more = problems.length > shown ? `; and ${problems.length - shown} more` : '';
  throw new UserError({
    code: 'adapter-misfit',
    message: `the adapter in ${file.path} does not fit the model: ${problems.slice(0, shown).join('; ')}${more}`,
    help: 'an adapter works only with the model that it was trained on; a model whose vocabulary grew needs the same tokens first',
  });
}

/** How many problems a message lists. */
const shown = 3;

/** PEFT names a parameter within its own modules: `a.base_layer.weight` for `a.weight`. */
const plainName = (stored: string): string =>
  stored
    .replace(prefix, '')
    .replace(/\.(base_layer|modules_to_save(\.default)?)(?=\.(weight|bias)$)/, '')
    .replace(/\.lora_magnitude_vector\.weight$/, '.lora_magnitude_vector');

function misshapen(
  { file }: StoredAdapter,
  { stored, shape }: { readonly stored: string; readonly shape: readonly number[] },
): readonly string[] {
  const found = file.tensors.get(stored)?.shape ?? [];
  return found.join() === shape.join()
    ? []
    : [`\`${stored}\` has the shape [${found}], and [${shape}] is needed`];
}

/** PEFT also stores the head of a tied model where it stores the embedding. */
async function isTiedHead(
  { file, model }: StoredAdapter,
  { name, names }: { readonly name: string; readonly names: ReadonlyMap<string, string> },
): Promise<boolean> {
  const { head, embedding } = familyOf(model).tiedHead;
  const [storedHead, storedEmbedding] = [names.get(head), names.get(embedding)];
  if (!model.tied || name !== head || storedHead === undefined || storedEmbedding === undefined) return false;
  const [own, other] = [await file.readFloat32(storedHead), await file.readFloat32(storedEmbedding)];
  return own.length === other.length && own.every((value, index) => value === other[index]);
}

/** Writes an adapter as PEFT does. `tensors` have PEFT's names without the prefix. */
export async function writeAdapterFolder(
  folder: string,
  { config, tensors }: { readonly config: JsonObject; readonly tensors: readonly TensorToWrite[] },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, configFile), `${JSON.stringify(config, undefined, 2)}\n`);
  await writeSafetensors(join(folder, weightsFile), {
    tensors: tensors.map((tensor) => ({ ...tensor, name: `${prefix}${tensor.name}` })),
    metadata: { format: 'pt' },
  });
}
