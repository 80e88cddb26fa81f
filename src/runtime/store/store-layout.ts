import { type Dirent, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, hexOf, sha256 } from '../key/digest.ts';
import type { CacheKey } from '../key/key-material.ts';
import { hasErrorCode } from './system-error.ts';

/** The files and folders of a store, as paths from its root. */
export const storeLayout = {
  statCache: 'stat-cache.bin',
  moduleCache: 'module-cache.json',
  temporary: 'tmp',
  blobs: join('blobs', 'sha256'),
  actions: 'actions',
  runs: 'runs',
  state: 'state',
  memo: 'memo',
  checkpoints: 'checkpoints',
  leases: 'leases',
  outputs: 'outputs',
  /** The resolutions of remote sources. */
  sources: 'sources',
  /** Unfinished downloads, by the source's name. */
  downloads: 'downloads',
} as const;

/** The files in an attempt's folder, `state/<key>/<attempt>/`. */
export const attemptFiles = {
  /** The process that works here; absent once it has ended. */
  owner: 'owner.json',
  action: 'action.json',
  inputs: 'inputs',
  outputs: 'outputs',
  /** Remote sources as files. */
  sources: 'sources',
  /** What the stage keeps in order to resume. */
  state: 'state',
  log: 'log.txt',
  /** Of an executor's job, which may go on without the process that submitted it. */
  job: 'job.json',
  /** What a job is to do. */
  request: 'request.json',
  /** What a job reports, and how it ended. */
  events: 'events.ndjson',
  /** A folder for each job of a stage whose work is divided. */
  shards: 'shards',
  /** The bundled code of a user's stage. */
  code: 'code.mjs',
} as const;

/** The absolute folder of an attempt. */
export const attemptFolder = (
  { root }: { readonly root: string },
  { key, attempt }: { readonly key: CacheKey; readonly attempt: string },
): string => join(root, storeLayout.state, key, attempt);

/** From the root. A folder's blob is its manifest. */
export const blobPath = (digest: Digest): string => {
  const hex = hexOf(digest);
  return join(storeLayout.blobs, hex.slice(0, 2), hex.slice(2));
};

export const actionPath = (key: CacheKey): string =>
  join(storeLayout.actions, key.slice(0, 2), `${key}.json`);

export const runPath = (run: string): string => join(storeLayout.runs, `${run}.json`);

/** A file name for a remote source, since addresses contain characters that file names may not. */
export const sourceName = (address: string): string => sha256(`source ${address}`);

export const resolutionPath = (address: string): string =>
  join(storeLayout.sources, `${sourceName(address)}.json`);

export const downloadPath = (address: string): string => join(storeLayout.downloads, sourceName(address));

/** File systems allow 255 bytes; some that encrypt names allow 143. */
const longestSegment = 140;
const keptOfLongSegment = 100;

/** A name as one safe path segment: everything but letters, digits, `-`, `_`, `=`, `,` and inner dots is percent-encoded. */
export const pathSegment = (name: string): string => {
  // Half a surrogate pair cannot be encoded.
  const wellFormed = Buffer.from(name).toString();
  const encoded = encodeURIComponent(wellFormed)
    .replaceAll('%3D', '=')
    .replaceAll('%2C', ',')
    .replaceAll(/[!'()*~]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  const segment = encoded.startsWith('.') ? `%2e${encoded.slice(1)}` : encoded || '%00';
  if (segment.length <= longestSegment) return segment;
  // No encoding has `%h`, so no other name gives the same segment.
  return `${segment.slice(0, keptOfLongSegment)}%h${sha256(wellFormed).slice(0, 32)}`;
};

/** `outputs/<pipeline>/<stage>` from the root; a stage of a sub-pipeline (`mmlu/format`) is in the sub-pipeline's folder. */
export const outputsPath = (pipeline: string, stage: string): string =>
  join(storeLayout.outputs, pathSegment(pipeline), ...stage.split('/').map(pathSegment));

const { blobs, actions, state, memo, checkpoints, outputs, downloads, ...others } = storeLayout;

/** Folder -> the number of levels below it on which tuneloom makes and removes folders. */
const levels: readonly (readonly [string, number])[] = [
  ['.', 1],
  ['blobs', 1],
  [blobs, 1],
  [actions, 1],
  [state, 2],
  [memo, 1],
  [checkpoints, 1],
  [outputs, 2],
  [downloads, 2],
];
const own = new Set([
  'blobs',
  ...[actions, state, memo, checkpoints, outputs, downloads],
  ...Object.values(others),
]);

/**
 * The problem of a store with a link where tuneloom itself makes only folders. Such a link in a store from elsewhere would
 * make tuneloom delete and write files outside the store.
 */
export function linkedStore({ root }: { readonly root: string }) {
  for (const [folder, depth] of levels) {
    const link = linkBelow(root, { folder, depth });
    if (link === undefined) continue;
    const message = `\`${link}\` of the store ${root} is a link, which tuneloom never makes there: it could lead out of the store`;
    const help =
      'delete the link; to keep results elsewhere name the whole store with --store or TUNELOOM_STORE';
    return { code: 'linked-store', message, help };
  }
  return undefined;
}

function linkBelow(
  root: string,
  { folder, depth }: { readonly folder: string; readonly depth: number },
): string | undefined {
  for (const entry of entriesOf(join(root, folder))) {
    if (folder === '.' && !own.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return path;
    const below =
      depth > 1 && entry.isDirectory() ? linkBelow(root, { folder: path, depth: depth - 1 }) : undefined;
    if (below !== undefined) return below;
  }
  return undefined;
}

/** Whether anything in a folder, at any depth, is a link. */
export const holdsLinks = (folder: string): boolean =>
  entriesOf(folder).some(
    (entry) => entry.isSymbolicLink() || (entry.isDirectory() && holdsLinks(join(folder, entry.name))),
  );

/** The entries of a folder, sorted by name; none if it does not exist. */
export function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
