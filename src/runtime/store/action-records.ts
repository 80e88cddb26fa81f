import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { arch, platform, version } from 'node:process';
import { isObject, type Json } from '../../core/index.ts';
import { type Digest, digestsAt, type PortContent, parsePortContent } from '../key/digest.ts';
import { type CacheKey, cacheKeyOf, type KeyMaterial, parseCacheKey } from '../key/key-material.ts';
import { contentState } from './content-state.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { createAtomically, writeAtomically } from './store-file.ts';
import { actionPath, entriesOf, storeLayout } from './store-layout.ts';
import { hasErrorCode, storageFailureOf } from './system-error.ts';

/** The inputs and outputs of one execution of a stage: `actions/ab/<key>.json`, written last and never changed. */
export interface ActionRecord {
  readonly format: 1;
  readonly key: CacheKey;
  readonly material: KeyMaterial;
  readonly outputs: Readonly<Record<string, PortContent>>;
  readonly provenance: Provenance;
  /** Throughput, memory: facts about the run, not the outputs. */
  readonly measurements: Readonly<Record<string, Json>>;
  /** What the stage warned of, which is true of its outputs whenever they are reused. */
  readonly warnings?: readonly KeptWarning[];
}

interface KeptWarning {
  readonly message: string;
  /** The ids of the first records that it is about. */
  readonly records?: readonly string[];
}

/** Where and when it ran; no part of any key. */
interface Provenance {
  readonly pipeline: string;
  readonly stage: string;
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly milliseconds: number;
  /** Its name in the settings, unless this machine ran it. */
  readonly executor?: string;
  readonly fingerprint: Fingerprint;
}

/** What floating-point results may depend on besides the key. */
export interface Fingerprint {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly backend?: string;
  /** Name and version, such as `onnxruntime 1.30.0`. */
  readonly engine?: string;
  /** The processor's widest vector instructions. */
  readonly instructionSet?: string;
  /** `gpu` or `cpu`, where the engine can use either. */
  readonly device?: string;
  readonly threads?: number;
}

/** What the store holds under a key. */
export type FoundRecord =
  | { readonly kind: 'absent' }
  | { readonly kind: 'usable'; readonly record: ActionRecord }
  /** A remote gave the record, and has at least one of its outputs that is not here. */
  | { readonly kind: 'remote'; readonly record: ActionRecord; readonly remote: string }
  | { readonly kind: 'output-lost'; readonly output: string; readonly state: LostState }
  /** Torn, or not a record; `path` from the store's root. */
  | { readonly kind: 'unreadable'; readonly path: string };

/** `unreachable`: a remote has it and did not give it. */
export type LostState = 'missing' | 'damaged' | 'unreachable';

/**
 * The record under a key, with a check that its outputs can be read here, or from the remote that gave the record: that
 * uses no network. `unreachable`: contents that no remote gave when they were needed.
 */
export async function findRecord(
  store: Store,
  key: CacheKey,
  unreachable: ReadonlySet<Digest> = new Set(),
): Promise<FoundRecord> {
  const found = readRecord(store, key);
  if (found.kind !== 'usable') return found;
  const { record, remote } = found;
  let isElsewhere = false;
  for (const [port, content] of Object.entries(record.outputs)) {
    for (const { digest, part } of digestsAt(content)) {
      const state = await contentState(store, digest, remote);
      if (state === 'present') continue;
      isElsewhere = true;
      const output = part === undefined ? port : `${port}.${part}`;
      if (state !== 'remote') return { kind: 'output-lost', output, state };
      if (unreachable.has(digest)) return { kind: 'output-lost', output, state: 'unreachable' };
    }
  }
  return isElsewhere && remote !== undefined
    ? { kind: 'remote', record, remote }
    : { kind: 'usable', record };
}

/** As findRecord, without checking the outputs. */
export function readRecord(store: Store, key: CacheKey): ReadRecord {
  const own = readOwnRecord(store, key);
  if (own.kind === 'usable') return own;
  const lower = store.below.map((each) => readOwnRecord(each, key)).find(({ kind }) => kind === 'usable');
  return lower ?? own;
}

/** `remote`: the one that gave the record, and has its outputs as long as they are not here. */
export type ReadRecord =
  | Extract<FoundRecord, { kind: 'absent' | 'unreadable' }>
  | { readonly kind: 'usable'; readonly record: ActionRecord; readonly remote?: string };

function readOwnRecord(store: Store, key: CacheKey): ReadRecord {
  const path = actionPath(key);
  try {
    const value = parseSealed(readFileSync(join(store.root, path), 'utf8'));
    const record = parseRecord(value, key);
    if (record === undefined) return { kind: 'unreadable', path };
    const remote = isObject(value) ? value.remote : undefined;
    return { kind: 'usable', record, ...(typeof remote === 'string' && { remote }) };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'absent' };
    if (error instanceof SyntaxError) return { kind: 'unreadable', path };
    throw error;
  }
}

/** Every record of the store itself that can be read. */
export function* listRecords(store: Store): Generator<ActionRecord> {
  const folder = join(store.root, storeLayout.actions);
  for (const shelf of entriesOf(folder))
    for (const { name } of shelf.isDirectory() ? entriesOf(join(folder, shelf.name)) : []) {
      const key = parseCacheKey(name.replace(/\.json$/, ''));
      const found = key === undefined ? undefined : readRecord(store, key);
      if (found?.kind === 'usable') yield found.record;
    }
}

/**
 * Commits an execution: from now on it is found. If another process committed the same key first, its record wins and is
 * returned, so that everything downstream sees one result. `replace` overwrites it.
 */
export async function commitRecord(
  store: Store,
  commit: { readonly record: ActionRecord; readonly replace: boolean },
): Promise<ActionRecord> {
  const { record, replace } = commit;
  const file = {
    root: store.root,
    path: join(store.root, actionPath(record.key)),
    content: sealJson(JSON.stringify(record, null, 1)),
    durable: true,
  };
  if (!replace) {
    if (await createAtomically(file)) return record;
    const first = await findRecord(store, record.key);
    if (first.kind === 'usable') return first.record;
  }
  await writeAtomically(file);
  return record;
}

/** Keeps a record that a remote gave, and that has been found worthy of trust. Its outputs may still be there alone. */
export async function adoptRecord(
  store: Store,
  { record, remote }: { readonly record: ActionRecord; readonly remote: string },
): Promise<void> {
  await writeAtomically({
    root: store.root,
    path: join(store.root, actionPath(record.key)),
    content: sealJson(JSON.stringify({ ...record, remote }, null, 1)),
    durable: false,
  });
}

/** Checks what the rest relies on: the material gives the key, and the outputs are digests. */
export function parseRecord(value: unknown, key: CacheKey): ActionRecord | undefined {
  // Every field that code relies on is checked below; measurements and provenance are only shown.
  const record = value as Partial<ActionRecord> | null;
  if (typeof record !== 'object' || record?.format !== 1 || parseCacheKey(record.key) !== key)
    return undefined;
  if (!isObject(record.material) || !isObject(record.outputs) || !isObject(record.provenance))
    return undefined;
  const outputs = new Map<string, PortContent>();
  for (const [port, text] of Object.entries(record.outputs)) {
    const content = parsePortContent(text);
    if (content === undefined) return undefined;
    outputs.set(port, content);
  }
  if (cacheKeyOf(record.material) !== key) return undefined;
  return {
    format: 1,
    key,
    material: record.material satisfies KeyMaterial,
    outputs: Object.fromEntries(outputs),
    provenance: record.provenance,
    measurements: (isObject(record.measurements) ? record.measurements : {}) satisfies Readonly<
      Record<string, Json>
    >,
    ...(Array.isArray(record.warnings) && { warnings: record.warnings.filter(isWarning) }),
  };
}

const isWarning: (value: unknown) => value is KeptWarning = (value): value is KeptWarning =>
  isObject(value) &&
  typeof value.message === 'string' &&
  (value.records === undefined ||
    (Array.isArray(value.records) && value.records.every((id) => typeof id === 'string')));

/**
 * Marks a record as used, for gc: the file's modification time is the time of the last use. False if gc has just removed
 * the record, and so may be removing its outputs.
 */
export function useRecord(store: Store, key: CacheKey, now: Date): boolean {
  const path = join(store.root, actionPath(key));
  try {
    if (now.getTime() - statSync(path).mtimeMs > useResolution) utimesSync(path, now, now);
    return true;
  } catch (error) {
    // A record of a store below is not ours to remove, nor to mark.
    if (hasErrorCode(error, 'ENOENT'))
      return store.below.length > 0 && readRecord(store, key).kind === 'usable';
    // gc cannot run on a read-only store.
    if (storageFailureOf(error) !== undefined) return true;
    throw error;
  }
}

/** How old a record's time of use may become, in milliseconds, before it is updated, so that most idle runs write nothing. */
export const useResolution = 60 * 60 * 1000;

/** This machine's part of a fingerprint. */
export const machineFingerprint = (): Fingerprint => ({ node: version, platform, arch });
