import { basename, join } from 'node:path';
import { type Digest, digestsAt, hexOf, isFolderDigest } from '../key/digest.ts';
import { parseCacheKey } from '../key/key-material.ts';
import { type FoundRecord, readRecord } from '../store/action-records.ts';
import { findManifest } from '../store/folder-manifest.ts';
import type { Store } from '../store/store.ts';
import { entriesOf, storeLayout } from '../store/store-layout.ts';
import { hasErrorCode } from '../store/system-error.ts';
import { extentOf, filedIn, statOf } from './walk.ts';

/** The kinds of things in a store. */
export type HoldingKind = 'result' | 'memo' | 'checkpoint' | 'attempt' | 'source' | 'run' | 'temporary';

/** Why something is kept. */
export type Keeping = 'locked' | 'last-runs' | 'open-run' | 'recent' | 'young';

export interface Holding {
  readonly kind: HoldingKind;
  /** From the store's root; a file or a folder. */
  readonly path: string;
  /** The bytes that removing it frees: of a result, without blobs that other results share. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly usedAt: number;
  /** For people. */
  readonly name: string;
}

export interface KeptHolding extends Holding {
  readonly because: Keeping;
}

/** Folder -> the kind of its entries. */
const folders: readonly (readonly [string, HoldingKind])[] = [
  [storeLayout.memo, 'memo'],
  [storeLayout.checkpoints, 'checkpoint'],
  [storeLayout.state, 'attempt'],
  ['sources', 'source'],
  ['downloads', 'temporary'],
  [storeLayout.temporary, 'temporary'],
];

/** Everything in a store except results, their blobs and runs. */
export const otherHoldings = ({ root }: Store): readonly Holding[] =>
  folders.flatMap(([folder, kind]) =>
    entriesOf(join(root, folder)).map(({ name }) => {
      const path = join(folder, name);
      return { kind, path, name: path, ...extentOf(join(root, path)) };
    }),
  );

/** A record with the blobs of its outputs. */
export interface ResultHolding {
  readonly path: string;
  readonly key: string;
  readonly usedAt: number;
  readonly name: string;
  /** False for a file among the records that is not one, and that nothing can use. */
  readonly isRecord: boolean;
  /** The hexadecimal digests of every blob that it needs, including manifests and their files. */
  readonly blobs: readonly string[];
}

/** Every record of a store. Each folder's manifest is read only once. */
export function* resultHoldings(store: Store): Generator<ResultHolding> {
  const manifests = new Map<string, readonly string[]>();
  for (const path of filedIn(store.root, storeLayout.actions)) {
    const key = basename(path, '.json');
    const stat = statOf(join(store.root, path));
    if (stat === undefined) continue;
    const parsed = parseCacheKey(key);
    const found: FoundRecord = parsed === undefined ? { kind: 'absent' } : readRecord(store, parsed);
    const common = { path, key, usedAt: stat.mtimeMs };
    if (found.kind !== 'usable') {
      yield { ...common, name: path, isRecord: false, blobs: [] };
      continue;
    }
    const { outputs, provenance } = found.record;
    const name = `${provenance.stage} of ${provenance.pipeline}`;
    const digests = Object.values(outputs).flatMap((content) => [...digestsAt(content)]);
    const blobs = digests.flatMap(({ digest }) => {
      if (!isFolderDigest(digest)) return [hexOf(digest)];
      const known = manifests.get(digest) ?? filesOf(store, digest);
      manifests.set(digest, known);
      return [hexOf(digest), ...known];
    });
    yield { ...common, name, isRecord: true, blobs: [...new Set(blobs)] };
  }
}

/** The hexadecimal digests of a folder's files; none if its manifest is lost. */
function filesOf(store: Store, digest: Digest): readonly string[] {
  try {
    return findManifest(store, digest)?.map((file) => hexOf(file.digest)) ?? [];
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return [];
    throw error;
  }
}
