import { existsSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { own } from '../../../core/index.ts';

/** Where paths of the other program's file lead, and where the pipeline is written. */
export interface Places {
  /** Folders that a path may be relative to, the likeliest first. */
  readonly bases: readonly string[];
  /** The folder of the written pipeline. */
  readonly target: string;
}

/** A path as the written pipeline names it, if there is such a file or folder, or if it can be nothing else. */
export function localPath(path: string, { bases, target }: Places): string | undefined {
  const found = bases.map((base) => resolve(base, path)).find((place) => existsSync(place));
  const [first = target] = bases;
  const isPath =
    isAbsolute(path) || /^\.{1,2}\//.test(path) || /\.(jsonl?|ndjson|csv|tsv|parquet)(\.gz)?$/i.test(path);
  const place = found ?? (isPath && !path.includes('://') ? resolve(first, path) : undefined);
  if (place === undefined) return undefined;
  const shown = relative(target, place).split(sep).join('/');
  return shown === '' ? '.' : shown;
}

/** Models that the hub knows without an owner. */
const owners: Readonly<Record<string, string>> = {
  gpt2: 'openai-community',
  'gpt2-medium': 'openai-community',
  'gpt2-large': 'openai-community',
  'gpt2-xl': 'openai-community',
  distilgpt2: 'distilbert',
};

/** A model's address: a repository of the hub, or a folder here, which may still have to come. */
export function modelAddress(
  name: string,
  { revision, ...places }: Places & { readonly revision?: string },
): string {
  const owner = own(owners, name);
  const local = localPath(name, places);
  const repository = owner === undefined ? name : `${owner}/${name}`;
  if (local === undefined && isRepository(repository))
    return `hf:${repository}${revision === undefined ? '' : `@${revision}`}`;
  return local ?? localPath(`./${name}`, places) ?? name;
}

/** `owner/name`, or the old names of the hub without an owner, which cannot be addressed. */
export const isRepository = (name: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name);

export interface HubData {
  readonly repository: string;
  readonly revision?: string | undefined;
  readonly config?: string | undefined;
  readonly split?: string | undefined;
  /** A file in it; or a folder, below which the split is looked for. */
  readonly file?: string | undefined;
}

/** The address of a dataset on the hub. */
export function hubAddress({ repository, revision, config, split = 'train', file }: HubData): string {
  const at = `hf:datasets/${repository}${revision === undefined ? '' : `@${revision}`}`;
  if (file !== undefined) return `${at}:${file}`;
  return `${at}#${config === undefined ? '' : `${config}/`}${split}`;
}

/** `train[:20%]` -> the split, and how much of it from the beginning; undefined for other slices. */
export function splitSlice(
  text: string,
): { readonly split: string; readonly limit?: number; readonly weight?: number } | undefined {
  const [, split, amount, percent] = /^([\w.-]+)(?:\[:(\d+)(%)?\])?$/.exec(text) ?? [];
  if (split === undefined) return undefined;
  if (amount === undefined) return { split };
  return percent === undefined ? { split, limit: Number(amount) } : { split, weight: Number(amount) / 100 };
}
