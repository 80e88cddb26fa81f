import { readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { arch, platform, version } from 'node:process';
import type { Json, JsonObject } from '../../core/index.ts';
import { type CacheKey, cacheKeyOf, type KeyMaterial, parseCacheKey } from '../key/key-material.ts';
import { createAtomically, writeAtomically } from './atomic-write.ts';
import { contentState } from './content-state.ts';
import { digestsAt, type PortContent, parsePortContent } from './digest.ts';
import { parseSealed, sealJson } from './sealed-json.ts';
import type { Store } from './store.ts';
import { actionPath } from './store-layout.ts';
import { hasErrorCode, storageFailureOf } from './system-error.ts';

/** What one execution of a stage was given and what it wrote: `actions/ab/<key>.json`, written last and never changed. */
export interface ActionRecord {
  readonly format: 1;
  readonly key: CacheKey;
  readonly material: KeyMaterial;
  readonly outputs: Readonly<Record<string, PortContent>>;
  readonly provenance: Provenance;
  /** Throughput, memory: facts of the run, never of the outputs. */
  readonly measurements: Readonly<Record<string, Json>>;
}

/** Where and when it ran; no part of any key. */
interface Provenance {
  readonly pipeline: string;
  readonly stage: string;
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly milliseconds: number;
  readonly fingerprint: Fingerprint;
}

/** What floating-point results may depend on beside the key. */
export interface Fingerprint {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  readonly backend?: string;
  /** Name and version, such as `onnxruntime 1.30.0`. */
  readonly engine?: string;
  /** The widest vector instructions of the processor. */
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

/** The record under a key, if all of its outputs can be read. */
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

/** As findRecord, without a look at the outputs. */
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
 * Commits an execution: from here on it is found. Where another process committed the same key first, its record stands
 * and is returned, so that everything downstream sees one answer; `replace` is for a record that is no longer wanted.
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

/** Checks what everything else relies on: that the material gives the key, and that the outputs are digests. */
function parseRecord(value: unknown, key: CacheKey): ActionRecord | undefined {
  // Every field that is relied on is checked below; measurements and provenance are only ever shown.
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
  };
}

const isObject = <T>(value: T | undefined): value is T & JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Notes that a run uses a record: its modification time says when that last happened, for gc alone. False where gc has
 * just taken the record away, and so may be taking away what it stands for.
 */
export function useRecord(store: Store, key: CacheKey, now: Date): boolean {
  const path = join(store.root, actionPath(key));
  try {
    if (now.getTime() - statSync(path).mtimeMs > useResolution) utimesSync(path, now, now);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return false;
    // A store that can only be read is nobody's to clean.
    if (storageFailureOf(error) !== undefined) return true;
    throw error;
  }
}

/** How far a record's time of use may lie behind, in milliseconds: a run with nothing to do writes nothing. */
export const useResolution = 60 * 60 * 1000;

/** This machine, as far as no stage is concerned. */
export const machineFingerprint = (): Fingerprint => ({ node: version, platform, arch });
