import { UserError } from '../../user-error.ts';
import { baseName, type HubFile } from './hub-file.ts';

/** What describes a model beside its weights. Nothing here is code, and no file is a pickle. */
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

export const weightsFile = 'model.safetensors';
export const indexFile = 'model.safetensors.index.json';

/** Which of a folder's files a model needs. `shards` is asked for the files that the index of sharded weights names. */
export async function modelFiles(
  files: readonly HubFile[],
  {
    address,
    shards,
  }: { readonly address: string; readonly shards: (index: HubFile) => Promise<readonly string[]> },
): Promise<readonly HubFile[]> {
  const named = new Map(files.map((file) => [baseName(file.path), file]));
  const described = files.filter(({ path }) => descriptions.has(baseName(path)));
  const whole = named.get(weightsFile);
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

/** The weight files that an index names. */
export function shardNames(text: string): readonly string[] {
  const value: unknown = JSON.parse(text);
  const map =
    typeof value === 'object' && value !== null && 'weight_map' in value ? value.weight_map : undefined;
  const names = typeof map === 'object' && map !== null ? Object.values(map) : [];
  return [...new Set(names.filter((name) => typeof name === 'string'))].sort();
}

const dataFile = /\.(jsonl?|ndjson|csv|tsv|parquet)$/i;
const isData = ({ path }: HubFile): boolean =>
  dataFile.test(path) && !/(^|\/)(dataset_infos?|dataset_dict|state|config)\.json$/i.test(path);

/** The one file of rows in a dataset. Throws where it has none or several, and names them. */
export function onlyDataFile(files: readonly HubFile[], address: string): HubFile {
  const found = files.filter(isData);
  const [only, another] = found;
  if (only !== undefined && another === undefined) return only;
  throw new UserError({
    code: only === undefined ? 'no-data-file' : 'several-data-files',
    message:
      only === undefined
        ? `\`${address}\` holds no JSON, JSONL, CSV, TSV or Parquet file`
        : `\`${address}\` holds ${found.length} files of rows: ${listed(found)}`,
    help: `name one, as in ${address}:${only?.path ?? 'rows.jsonl'}; a \`*\` in its name takes several`,
  });
}

/** The files of one folder whose names fit a pattern with `*`, and are of rows. */
export function matchingFiles(files: readonly HubFile[], pattern: string): readonly HubFile[] {
  const escaped = baseName(pattern).replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&');
  const fits = new RegExp(`^${escaped.replaceAll(/\*+/g, '.*')}$`);
  return files.filter((file) => fits.test(baseName(file.path)) && isData(file));
}

function noWeights(files: readonly HubFile[], address: string): UserError {
  const gguf = files.filter(({ path }) => path.toLowerCase().endsWith('.gguf'));
  const pickles = files.some(({ path }) => /\.(bin|pt|pth|ckpt|h5|msgpack)$/.test(path));
  const help =
    gguf.length > 0
      ? `name one of its GGUF files after a colon, as in hf:owner/name:${gguf[0]?.path}: it has ${listed(gguf)}`
      : pickles
        ? 'it has weights in other formats, which are not loaded since reading them can run code: look for a revision or a copy with safetensors'
        : 'is it the repository of a model? a subfolder is named as in hf:owner/name:subfolder';
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
