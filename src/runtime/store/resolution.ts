import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json } from '../../core/index.ts';
import { writeAtomically } from './atomic-write.ts';
import { type Digest, parseDigest } from './digest.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { resolutionPath } from './store-layout.ts';
import { hasErrorCode } from './system-error.ts';

/** What a source was found to be. */
export interface Resolution {
  readonly digest: Digest;
  /** Of a repository, its commit; absent where only the content says what a source is. */
  readonly revision?: string;
}

/** Remote sources by their addresses. */
export type Resolutions = ReadonlyMap<string, Resolution>;

/** As it stands in a lock: the digest alone where there is no revision. */
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

/** What the store remembers of an address; nothing where it has never been resolved, or the note is damaged. */
export function readResolution({ root }: Store, address: string): Resolution | undefined {
  try {
    const value = parseSealed(readFileSync(join(root, resolutionPath(address)), 'utf8'));
    return isObject(value) && value.address === address ? parseResolution(value.is) : undefined;
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
