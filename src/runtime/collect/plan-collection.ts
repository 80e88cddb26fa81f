import { basename, dirname } from 'node:path';
import { hexOf } from '../key/digest.ts';
import { pathsInUse } from '../store/in-use.ts';
import { readResolutionFile } from '../store/resolution.ts';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { diskClock, isAbandoned } from '../store/temporary.ts';
import {
  type Holding,
  type Keeping,
  type KeptHolding,
  otherHoldings,
  type ResultHolding,
  resultHoldings,
} from './holdings.ts';
import { type RunRoots, runRoots } from './run-roots.ts';
import { UseCounts } from './use-counts.ts';
import { type StoredBlob, storedBlobs } from './walk.ts';

const oneDay = 24 * 60 * 60 * 1000;

export interface CollectionRequest {
  readonly now: Date;
  /** What was not used for longer than this is removed. */
  readonly olderThanMs: number;
  /** Above this size, what was used longest ago is removed as well, but nothing rooted or young. */
  readonly maxBytes?: number | undefined;
  /** The hexadecimal keys and digests that locks name. */
  readonly locked: ReadonlySet<string>;
}

/** What gc would remove from a store, and what it would keep and why. */
export interface Collection {
  readonly goes: readonly Holding[];
  readonly stays: readonly KeptHolding[];
  /** Blobs that nothing kept needs. */
  readonly blobs: ReadonlyMap<string, StoredBlob>;
  /** The whole store's size, before and after. */
  readonly bytes: number;
  readonly bytesAfter: number;
  readonly openRuns: readonly string[];
}

/** Decides what to remove; changes nothing. Memory grows with the number of records and blobs, not with their sizes. */
export function planCollection(store: Store, request: CollectionRequest): Collection {
  // Roots are read last, so that no run is missed: what a run uses after its record was read here has a new time of use.
  const blobs = storedBlobs(store);
  const results = [...resultHoldings(store)];
  const roots = runRoots(store, request.now);
  const others = otherHoldings(store);
  const use = { inUse: pathsInUse(store), abandoned: abandonedAmong(others, store) };
  const uses = new UseCounts(blobs, results);
  const rules: Rules = { store, request, roots, young: youngSince(request, roots), ...use };
  const holdings: readonly Holding[] = [
    ...results.map((result) => asHolding(result, uses)),
    ...others,
    ...roots.old,
  ];
  const resultAt = new Map(results.map((result) => [result.path, result]));
  const goes: Holding[] = [];
  const spare: KeptHolding[] = [];
  const stays: KeptHolding[] = [];
  for (const holding of holdings) {
    const result = resultAt.get(holding.path);
    const because = reasonToKeep(holding, { result, rules });
    if (because === undefined) goes.push(release(holding, { result, uses }));
    else (because === 'recent' ? spare : stays).push({ ...holding, because });
  }
  const wanted = new Set([...request.locked, ...sourcesKept([...stays, ...spare], store)]);
  uses.settle({ wanted, young: rules.young });
  const bounded = withinBytes({ spare, uses, resultAt, maxBytes: request.maxBytes, others: sizeOf(stays) });
  return {
    goes: [...goes, ...bounded.goes],
    stays: [...stays, ...bounded.stays],
    blobs: uses.unused(),
    bytes: uses.allBytes + sizeOf([...goes, ...stays, ...spare].filter(isNoResult)),
    bytesAfter: uses.usedBytes() + sizeOf([...stays, ...bounded.stays].filter(isNoResult)),
    openRuns: roots.openRuns,
  };
}

interface Rules {
  readonly store: Store;
  readonly request: CollectionRequest;
  readonly roots: RunRoots;
  /** Nothing used or made since then is removed. */
  readonly young: number;
  /** The paths that living processes use. */
  readonly inUse: ReadonlySet<string>;
  /** The paths of temporary files that nothing can use any longer. */
  readonly abandoned: ReadonlySet<string>;
}

function abandonedAmong(holdings: readonly Holding[], { root }: Store): ReadonlySet<string> {
  const clock = diskClock(root);
  const abandoned = new Set<string>();
  for (const { path } of holdings)
    if (dirname(path) === storeLayout.temporary && isAbandoned({ root, name: basename(path) }, clock))
      abandoned.add(path);
  return abandoned;
}

/** A day ago, or before the start of the oldest open run. */
const youngSince = ({ now }: CollectionRequest, { openSince }: RunRoots): number =>
  Math.min(now.getTime() - oneDay, openSince);

/** Undefined if it is to be removed. */
function reasonToKeep(
  { kind, usedAt, path }: Holding,
  { result, rules }: { readonly result: ResultHolding | undefined; readonly rules: Rules },
): Keeping | undefined {
  const { store, request, roots, young, inUse, abandoned } = rules;
  if (result !== undefined) {
    if (request.locked.has(result.key)) return 'locked';
    if (roots.keys.has(result.key)) return 'last-runs';
  }
  if (kind === 'source' && request.locked.has(sourceHex(store, path))) return 'locked';
  if (inUse.has(path)) return 'open-run';
  if (dirname(path) === storeLayout.temporary) return abandoned.has(path) ? undefined : 'open-run';
  const isWorthless = kind === 'temporary' || result?.isRecord === false;
  const dayAgo = request.now.getTime() - oneDay;
  if (usedAt > young) return usedAt > dayAgo ? 'young' : 'open-run';
  return !isWorthless && usedAt > request.now.getTime() - request.olderThanMs ? 'recent' : undefined;
}

const asHolding = ({ path, usedAt, name, blobs }: ResultHolding, uses: UseCounts): Holding => ({
  kind: 'result',
  path,
  usedAt,
  name,
  bytes: uses.ownBytes(blobs),
});

function release(
  holding: Holding,
  { result, uses }: { readonly result: ResultHolding | undefined; readonly uses: UseCounts },
): Holding {
  return result === undefined ? holding : { ...holding, bytes: uses.release(result.blobs) };
}

/** Releases what was used longest ago until the rest fits. */
function withinBytes(choice: {
  readonly spare: readonly KeptHolding[];
  readonly uses: UseCounts;
  readonly resultAt: ReadonlyMap<string, ResultHolding>;
  readonly maxBytes: number | undefined;
  readonly others: number;
}): { readonly goes: readonly Holding[]; readonly stays: readonly KeptHolding[] } {
  const { spare, uses, resultAt, maxBytes = Number.POSITIVE_INFINITY } = choice;
  const goes: Holding[] = [];
  const stays = [...spare].sort((a, b) => b.usedAt - a.usedAt);
  let others = choice.others + sizeOf(spare.filter(isNoResult));
  while (uses.usedBytes() + others > maxBytes) {
    const next = stays.pop();
    if (next === undefined) break;
    const { because: _, ...holding } = next;
    const released = release(holding, { result: resultAt.get(next.path), uses });
    if (isNoResult(next)) others -= next.bytes;
    goes.push(released);
  }
  return { goes, stays };
}

const isNoResult = ({ kind }: Holding): boolean => kind !== 'result';

const sizeOf = (holdings: readonly Holding[]): number =>
  holdings.filter(isNoResult).reduce((sum, { bytes }) => sum + bytes, 0);

/** The contents of the remote sources whose resolutions are kept. */
const sourcesKept = (kept: readonly Holding[], store: Store): readonly string[] =>
  kept.filter(({ kind }) => kind === 'source').map(({ path }) => sourceHex(store, path));

function sourceHex(store: Store, path: string): string {
  const digest = readResolutionFile(store, path)?.resolution?.digest;
  return digest === undefined ? '' : hexOf(digest);
}
