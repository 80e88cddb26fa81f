import { join } from 'node:path';
import type { CacheKey } from '../key/key-material.ts';
import { type Digest, hexOf, sha256 } from './digest.ts';

/** Where each kind of thing stands in a store, from the store's root. */
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
  /** What remote sources were when they were last resolved. */
  sources: 'sources',
  /** What is being downloaded, by the source's name. */
  downloads: 'downloads',
} as const;

/** From the root, for a folder its manifest. */
export const blobPath = (digest: Digest): string => {
  const hex = hexOf(digest);
  return join(storeLayout.blobs, hex.slice(0, 2), hex.slice(2));
};

export const actionPath = (key: CacheKey): string =>
  join(storeLayout.actions, key.slice(0, 2), `${key}.json`);

export const runPath = (run: string): string => join(storeLayout.runs, `${run}.json`);

/** A remote source as one name: addresses hold characters that no file name may. */
export const sourceName = (address: string): string => sha256(`source ${address}`);

export const resolutionPath = (address: string): string =>
  join(storeLayout.sources, `${sourceName(address)}.json`);

export const downloadPath = (address: string): string => join(storeLayout.downloads, sourceName(address));

/** File systems take 255 bytes; some that encrypt names take 143. */
const longestSegment = 140;
const keptOfLongSegment = 100;

/** A name as one harmless path segment: what is not a plain letter, digit, `-`, `_`, `=`, `,` or inner dot is percent-encoded. */
export const pathSegment = (name: string): string => {
  // Half a surrogate pair has no encoding of its own.
  const wellFormed = Buffer.from(name).toString();
  const encoded = encodeURIComponent(wellFormed)
    .replaceAll('%3D', '=')
    .replaceAll('%2C', ',')
    .replaceAll(/[!'()*~]/g, (mark) => `%${mark.charCodeAt(0).toString(16)}`);
  const segment = encoded.startsWith('.') ? `%2e${encoded.slice(1)}` : encoded || '%00';
  if (segment.length <= longestSegment) return segment;
  // No encoding has `%` before a letter beyond f, so no other name comes to this.
  return `${segment.slice(0, keptOfLongSegment)}%h${sha256(wellFormed).slice(0, 32)}`;
};

/** `outputs/<pipeline>/<stage>` from the root; a stage of a sub-pipeline (`mmlu/format`) stands in its folder. */
export const outputsPath = (pipeline: string, stage: string): string =>
  join(storeLayout.outputs, pathSegment(pipeline), ...stage.split('/').map(pathSegment));
