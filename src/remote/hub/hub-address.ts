import type { AddressProblem } from '../../runtime/index.ts';
import type { ExpectedContent } from '../http/download-file.ts';

/** `hf:[datasets/]owner/name[@revision][:path]`, and `[#[config/]split]` of a dataset, parsed. */
export interface HubAddress {
  readonly type: 'model' | 'dataset';
  /** `owner/name`. */
  readonly name: string;
  /** A branch, a tag or a commit; undefined: the main branch. */
  readonly revision: string | undefined;
  /** A file, a folder or, with `*`, several files of one folder; undefined: the whole repository. */
  readonly path: string | undefined;
  /** A split of a dataset: its files are found by their names or by the README. */
  readonly split: DatasetSplit | undefined;
}

/** A part of a dataset: `#train`, or `#wikitext-103-raw-v1/train` of one of several configurations. */
export interface DatasetSplit {
  readonly config: string | undefined;
  readonly name: string;
}

const grammar =
  /^hf:(?<datasets>datasets\/)?(?<owner>[\w-][\w.-]*)\/(?<name>[\w-][\w.-]*)(?:@(?<revision>[^@:?#\s]+))?(?::(?<path>[^#]+))?(?:#(?:(?<config>[\w.-]+)\/)?(?<split>[\w.-]+))?$/i;

export function parseHubAddress(address: string): HubAddress | undefined {
  const { datasets, owner, name, revision, path, config, split } = grammar.exec(address)?.groups ?? {};
  if (owner === undefined || name === undefined) return undefined;
  if (revision !== undefined && !isInner(revision)) return undefined;
  if (path !== undefined && !isInner(path)) return undefined;
  if (split !== undefined && (datasets === undefined || path?.includes('*'))) return undefined;
  return {
    type: datasets === undefined ? 'model' : 'dataset',
    name: `${owner}/${name}`,
    revision,
    path,
    split: split === undefined ? undefined : { config, name: split },
  };
}

/** Relative, and made of names only: a repository's file names must not lead out of a folder. */
export const isInner = (path: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are refused.
  !/[\\\u0000-\u001f\u007f]|^[a-z]:/i.test(path) &&
  path.split('/').every((name) => name !== '' && name !== '.' && name !== '..' && name.length <= 255);

/** A password or a query: the hub has neither, and they must not be repeated. */
const secretPattern = /:[^/]*@|[?#]/;

/** Why a text cannot be an address on the Hugging Face hub. */
export function checkHubAddress(address: string): AddressProblem | undefined {
  if (parseHubAddress(address) !== undefined) return undefined;
  return {
    code: 'bad-address',
    message: secretPattern.test(address.slice('hf:'.length))
      ? 'an address on the Hugging Face hub has no password and no query; the token comes from HF_TOKEN only'
      : `\`${address}\` is not an address on the Hugging Face hub`,
    help: 'write hf:owner/name, hf:owner/name@revision:file.gguf hf:datasets/owner/name:rows.jsonl or hf:datasets/owner/name#train',
  };
}

/** The revision's name; by default the main branch. */
export const revisionOf = ({ revision }: HubAddress): string => revision ?? 'main';

/** A file of a repository at one commit. */
export interface HubFile {
  /** From the repository's root, separated by `/`; does not lead out of it. */
  readonly path: string;
  readonly content: ExpectedContent;
}

/** What a folder of a repository holds; paths are from the repository's root. */
export interface HubListing {
  readonly files: readonly HubFile[];
  readonly folders: readonly string[];
}

/** The name within its folder. */
export const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The folder that holds a path; empty for the root. */
export const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
