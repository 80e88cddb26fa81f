import { UserError } from '../../user-error.ts';
import { matchingFiles, modelFiles, onlyDataFile, shardNames } from './choose-files.ts';
import type { HubAddress } from './hub-address.ts';
import { cachedFiles } from './hub-cache.ts';
import { listRepository } from './hub-client.ts';
import { noSuchFile } from './hub-error.ts';
import { folderOf, type HubFile } from './hub-file.ts';
import type { HubSettings } from './hub-settings.ts';

/** What an address takes from a repository. */
export interface ChosenFiles {
  readonly kind: 'file' | 'folder';
  readonly files: readonly HubFile[];
}

interface Choice {
  /** The address as it was written. */
  readonly address: string;
  readonly settings: HubSettings;
  readonly commit: string;
  readonly signal: AbortSignal;
  /** The text of a file that the choice depends on. */
  readonly read: (file: HubFile) => Promise<string>;
}

/** A model: its description, tokenizer and safetensors. A dataset: its file of rows, or those that a pattern fits. */
export async function chooseFiles(address: HubAddress, choice: Choice): Promise<ChosenFiles> {
  const { path } = address;
  if (path === undefined && address.type === 'dataset') {
    const files = await list(address, { ...choice, folder: '', recursive: true });
    return { kind: 'file', files: [onlyDataFile(files, choice.address)] };
  }
  if (path === undefined) return modelIn(address, { ...choice, folder: '' });
  const beside = await list(address, { ...choice, folder: folderOf(path), recursive: false });
  const file = beside.find((each) => each.path === path);
  if (file !== undefined) return { kind: 'file', files: [file] };
  if (path.includes('*')) {
    const files = matchingFiles(beside, path);
    if (files.length === 0) throw noSuchFile(choice.address, address);
    return { kind: 'folder', files };
  }
  return address.type === 'model'
    ? modelIn(address, { ...choice, folder: path })
    : Promise.reject(noSuchFile(choice.address, address));
}

async function modelIn(
  address: HubAddress,
  choice: Choice & { readonly folder: string },
): Promise<ChosenFiles> {
  const files = await list(address, { ...choice, recursive: false });
  if (files.length === 0 && choice.folder !== '') throw noSuchFile(choice.address, address);
  const shards = async (index: HubFile) => namesIn(await choice.read(index), choice.address);
  return { kind: 'folder', files: await modelFiles(files, { address: choice.address, shards }) };
}

async function list(
  address: HubAddress,
  choice: Choice & { readonly folder: string; readonly recursive: boolean },
): Promise<readonly HubFile[]> {
  if (!choice.settings.offline) return listRepository(address, choice);
  const files = await cachedFiles(address, choice);
  return choice.recursive ? files : files.filter(({ path }) => folderOf(path) === choice.folder);
}

function namesIn(index: string, address: string): readonly string[] {
  try {
    return shardNames(index);
  } catch (cause) {
    const message = `the index of the sharded weights of \`${address}\` is not JSON`;
    throw new UserError({ code: 'bad-weight-index', message, cause });
  }
}
