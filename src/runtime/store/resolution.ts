import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json } from '../../core/index.ts';
import { type Digest, parseDigest } from '../key/digest.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import { chainOf, type Store } from './store.ts';
import { writeAtomically } from './store-file.ts';
import { resolutionPath } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** What a remote source was resolved to. */
export interface Resolution {
  readonly digest: Digest;
  /** A repository's commit; absent if only the content identifies the source. */
  readonly revision?: string;
}

/** Remote sources by their addresses. */
export type Resolutions = ReadonlyMap<string, Resolution>;

/** Its form in a lock: the digest alone if there is no revision. */
export const renderResolution = ({ digest, revision }: Resolution): Json =>
  revision === undefined ? digest : { revision, digest };

export function parseResolution(value: unknown): Resolution | undefined {
  const alone = parseDigest(value);
  if (alone !== undefined) return { digest: alone };
  if (!isObject(value)) return undefined;
  const digest = parseDigest(value.digest);
  return digest === undefined || typeof value.revision !== 'string'
    ? undefined
    : { digest, revision: value.revision };
}

/** The stored resolution of an address; undefined if it was never resolved or the file is damaged. */
export function readResolution(store: Store, address: string): Resolution | undefined {
  const path = resolutionPath(address);
  for (const each of chainOf(store)) {
    const stored = readResolutionFile(each, path);
    if (stored?.address === address && stored.resolution !== undefined) return stored.resolution;
  }
  return undefined;
}

/** A resolution's file, by its path from the store's root; undefined if it does not exist or is damaged. */
export function readResolutionFile(
  { root }: Store,
  path: string,
): { readonly address: unknown; readonly resolution: Resolution | undefined } | undefined {
  try {
    const value = parseSealed(readFileSync(join(root, path), 'utf8'));
    if (!isObject(value)) return undefined;
    return { address: value.address, resolution: parseResolution(value.is) };
  } catch (error) {
    if (error instanceof SyntaxError || hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

export const writeResolution = (
  { root }: Store,
  { address, resolution }: { readonly address: string; readonly resolution: Resolution },
): Promise<void> =>
  writeAtomically({
    root,
    path: join(root, resolutionPath(address)),
    content: sealJson(JSON.stringify({ format: 1, address, is: renderResolution(resolution) })),
    durable: true,
  });
