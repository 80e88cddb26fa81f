import { fileNamePattern, isObject, UserError } from '../../core/index.ts';
import { filesOfSplit } from './dataset-split.ts';
import {
  baseName,
  type DatasetSplit,
  folderOf,
  type HubAddress,
  type HubFile,
  type HubListing,
} from './hub-address.ts';
import { cachedFiles } from './hub-cache.ts';
import { listRepository } from './hub-client.ts';
import { noSuchFile } from './hub-error.ts';
import type { HubSettings } from './hub-settings.ts';

/** The files of a repository that an address means. */
interface ChosenFiles {
  readonly kind: 'file' | 'folder';
  /** From here on, files keep their paths. */
  readonly folder: string;
  readonly files: readonly HubFile[];
}

interface Choice {
  /** The address as the user wrote it. */
  readonly address: string;
  readonly settings: HubSettings;
  readonly commit: string;
  readonly signal: AbortSignal;
  /** The text of a file that the choice depends on. */
  readonly read: (file: HubFile) => Promise<string>;
  /** The text of a file that is no part of the content. */
  readonly peek: (file: HubFile) => Promise<string>;
}

/** Of a model: its configuration, tokenizer and safetensors. Of a dataset: its file of rows, or those that match a pattern. */
export async function chooseFiles(address: HubAddress, choice: Choice): Promise<ChosenFiles> {
  const { path, split } = address;
  if (split !== undefined) return splitFiles(address, { ...choice, split });
  if (path === undefined && address.type === 'dataset') {
    const { files } = await list(address, { ...choice, folder: '', recursive: true });
    return oneFile(onlyDataFile(files, choice.address));
  }
  if (path === undefined) return modelIn(address, { ...choice, folder: '' });
  const folder = folderOf(path);
  const beside = (await list(address, { ...choice, folder, recursive: false })).files;
  const file = beside.find((each) => each.path === path);
  if (file !== undefined) return oneFile(file);
  if (path.includes('*')) {
    const files = matchingFiles(beside, path);
    if (files.length === 0) throw noSuchFile(choice.address, address);
    return { kind: 'folder', folder, files };
  }
  return address.type === 'model'
    ? modelIn(address, { ...choice, folder: path })
    : Promise.reject(noSuchFile(choice.address, address));
}

/** The files of a dataset's split, below a folder if the address names one. */
async function splitFiles(
  address: HubAddress,
  { split, ...choice }: Choice & { readonly split: DatasetSplit },
): Promise<ChosenFiles> {
  const { files } = await list(address, { ...choice, folder: address.path ?? '', recursive: true });
  const below = address.path === undefined ? '' : `${address.path}/`;
  const inside = files.filter(({ path }) => path.startsWith(below));
  // A README speaks of the whole repository.
  const described = address.path === undefined ? files.find(({ path }) => path === 'README.md') : undefined;
  const readme = described && (await choice.peek(described));
  const found = filesOfSplit(inside.filter(isData), { address: choice.address, split, readme });
  const [only, another] = found;
  if (only !== undefined && another === undefined) return oneFile(only);
  return { kind: 'folder', folder: folderOf(only?.path ?? ''), files: found };
}

const oneFile = (file: HubFile): ChosenFiles => ({
  kind: 'file',
  folder: folderOf(file.path),
  files: [file],
});

async function modelIn(
  address: HubAddress,
  choice: Choice & { readonly folder: string },
): Promise<ChosenFiles> {
  const { folder } = choice;
  const { files, folders } = await list(address, { ...choice, recursive: false });
  if (files.length === 0 && folder !== '') throw noSuchFile(choice.address, address);
  const shards = async (index: HubFile) => shardNames(await choice.read(index), choice.address);
  const chosen = await modelFiles(files, { address: choice.address, shards });
  const templates = folders.find(
    (each) => each === (folder === '' ? templatesFolder : `${folder}/${templatesFolder}`),
  );
  if (templates === undefined) return { kind: 'folder', folder, files: chosen };
  const more = await list(address, { ...choice, folder: templates, recursive: false });
  const isTemplate = ({ path }: HubFile): boolean => folderOf(path) === templates && path.endsWith('.jinja');
  return { kind: 'folder', folder, files: [...more.files.filter(isTemplate), ...chosen] };
}

async function list(
  address: HubAddress,
  choice: Choice & { readonly folder: string; readonly recursive: boolean },
): Promise<HubListing> {
  if (!choice.settings.offline) return listRepository(address, choice);
  const files = await cachedFiles(address, choice);
  if (choice.recursive) return { files, folders: [] };
  const isHere = (path: string): boolean => folderOf(path) === choice.folder;
  const folders = new Set(files.map(({ path }) => folderOf(path)));
  return {
    files: files.filter(({ path }) => isHere(path)),
    folders: [...folders].filter((folder) => folder !== '' && isHere(folder)),
  };
}

/** The weight files that an index names. */
function shardNames(index: string, address: string): readonly string[] {
  try {
    const value: unknown = JSON.parse(index);
    const map = isObject(value) ? value.weight_map : undefined;
    const names = isObject(map) ? Object.values(map) : [];
    return [...new Set(names.filter((name) => typeof name === 'string'))].sort();
  } catch (cause) {
    const message = `the index of the sharded weights of \`${address}\` is not JSON`;
    throw new UserError({ code: 'bad-weight-index', message, cause });
  }
}

/** A model's files other than weights. None is code or a pickle. */
const descriptions = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'encoding.json',
]);

/** Chat templates with other names than the default. */
const templatesFolder = 'additional_chat_templates';

const weightsFile = 'model.safetensors';
/** The weights of a LoRA adapter, beside adapter_config.json. */
const adapterFile = 'adapter_model.safetensors';
const indexFile = 'model.safetensors.index.json';

/** The files of a folder that a model needs. `shards` reads the file names in the index of sharded weights. */
async function modelFiles(
  files: readonly HubFile[],
  {
    address,
    shards,
  }: { readonly address: string; readonly shards: (index: HubFile) => Promise<readonly string[]> },
): Promise<readonly HubFile[]> {
  const named = new Map(files.map((file) => [baseName(file.path), file]));
  const described = files.filter(({ path }) => descriptions.has(baseName(path)));
  const [whole, adapter] = [named.get(weightsFile), named.get(adapterFile)];
  const settings = named.get('adapter_config.json');
  if (whole === undefined && !named.has(indexFile) && adapter && settings) return [settings, adapter];
  if (whole !== undefined) return [...described, whole];
  const index = named.get(indexFile);
  if (index === undefined) throw noWeights(files, address);
  const parts = (await shards(index)).map((name) => {
    const part = named.get(name);
    if (part === undefined) throw missingShard(name, address);
    return part;
  });
  return [...described, index, ...parts];
}

const dataFile = /\.(jsonl?|ndjson|csv|tsv|parquet)$/i;
const isData = ({ path }: HubFile): boolean =>
  dataFile.test(path) && !/(^|\/)(dataset_infos?|dataset_dict|state|config)\.json$/i.test(path);

/** The one file of rows in a dataset. Throws if it has none or several, and names them. */
function onlyDataFile(files: readonly HubFile[], address: string): HubFile {
  const found = files.filter(isData);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  throw new UserError({
    code: only === undefined ? 'no-data-file' : 'several-data-files',
    message:
      only === undefined
        ? `\`${address}\` holds no JSON, JSONL, CSV, TSV or Parquet file`
        : `\`${address}\` holds ${found.length} files of rows: ${listed(found)}`,
    help: `name one, as in ${address}:${only?.path ?? 'rows.jsonl'}, or a split, as in ${address}#train; a \`*\` in the name takes several`,
  });
}

/** The files of rows whose names match a pattern with `*`. */
function matchingFiles(files: readonly HubFile[], pattern: string): readonly HubFile[] {
  const fits = fileNamePattern(baseName(pattern));
  return files.filter((file) => fits(baseName(file.path)) && isData(file));
}

function noWeights(files: readonly HubFile[], address: string): UserError {
  const gguf = files.filter(({ path }) => path.toLowerCase().endsWith('.gguf'));
  const pickles = files.some(({ path }) => /\.(bin|pt|pth|ckpt|h5|msgpack)$/.test(path));
  const help =
    gguf.length > 0
      ? `name one of its GGUF files after a colon, as in hf:owner/name:${gguf[0]?.path}: it has ${listed(gguf)}`
      : pickles
        ? 'its weights are in other formats, which are not loaded because reading them can run code: look for a revision or a copy with safetensors'
        : 'is this the repository of a model? A subfolder is named as in hf:owner/name:subfolder';
  return new UserError({ code: 'no-weights', message: `\`${address}\` has no ${weightsFile}`, help });
}

const missingShard = (name: string, address: string): UserError =>
  new UserError({
    code: 'missing-shard',
    message: `\`${address}\` lacks ${JSON.stringify(name)}, which its ${indexFile} names`,
  });

const listed = (files: readonly HubFile[]): string =>
  `${files
    .slice(0, 8)
    .map(({ path }) => path)
    .join(', ')}${files.length > 8 ? ', ...' : ''}`;
