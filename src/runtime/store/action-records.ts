import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { arch, platform, version } from 'node:process';
import { isObject, type Json } from '../../core/index.ts';
import { digestsAt, type PortContent, parsePortContent } from '../key/digest.ts';
import { type CacheKey, cacheKeyOf, type KeyMaterial, parseCacheKey } from '../key/key-material.ts';
import { contentState } from './content-state.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { createAtomically, writeAtomically } from './store-file.ts';
import { actionPath } from './store-layout.ts';
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
  | { readonly kind: 'output-lost'; readonly output: string; readonly state: 'missing' | 'damaged' }
  /** Torn, or not a record; `path` from the store's root. */
  | { readonly kind: 'unreadable'; readonly path: string };

/** The record under a key, with a check that its outputs can be read. */
export async function findRecord(store: Store, key: CacheKey): Promise<FoundRecord> {
  const found = readRecord(store, key);
  if (found.kind !== 'usable') return found;
  for (const [port, content] of Object.entries(found.record.outputs)) {
    for (const { digest, part } of digestsAt(content)) {
      const state = await contentState(store, digest);
      if (state !== 'present')
        return { kind: 'output-lost', output: part === undefined ? port : `${port}.${part}`, state };
    }
  }
  return found;
}

/** As findRecord, without checking the outputs. */
export function readRecord(store: Store, key: CacheKey): Exclude<FoundRecord, { kind: 'output-lost' }> {
  const path = actionPath(key);
  try {
    const record = parseRecord(parseSealed(readFileSync(join(store.root, path), 'utf8')), key);
    return record === undefined ? { kind: 'unreadable', path } : { kind: 'usable', record };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR')) return { kind: 'absent' };
    if (error instanceof SyntaxError) return { kind: 'unreadable', path };
    throw error;
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
    if (hasErrorCode(error, 'ENOENT')) return false;
    // gc cannot run on a read-only store.
    if (storageFailureOf(error) !== undefined) return true;
    throw error;
  }
}

/** How old a record's time of use may become, in milliseconds, before it is updated, so that most idle runs write nothing. */
export const useResolution = 60 * 60 * 1000;

/** This machine's part of a fingerprint. */
export const machineFingerprint = (): Fingerprint => ({ node: version, platform, arch });
