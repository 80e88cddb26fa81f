import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, makeFolders, ok, type Result, UserError } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { SourceField } from '../graph/dag.ts';
import { parseCacheKey } from '../key/key-material.ts';
import { inspectSource } from '../plan/inspect-sources.ts';
import type { RunEvent } from '../stage/run-event.ts';
import type { FetchProgress, SourceWait } from '../stage/source-resolver.ts';
import { contentState } from '../store/content-state.ts';
import { ingest } from '../store/ingest.ts';
import { takeLease } from '../store/lease.ts';
import { type Resolution, type Resolutions, readResolution, writeResolution } from '../store/resolution.ts';
import { createStore, type Store } from '../store/store.ts';
import { downloadPath, sourceName } from '../store/store-layout.ts';
import { throttled } from './limit-reports.ts';
import { isUserError } from './run-action.ts';

interface Acquisition {
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Set to resolve known sources again: their present resolutions, by address. */
  readonly again?: Resolutions;
}

/**
 * Resolves remote sources and moves their contents into the store, one after another. Gives a diagnostic for each that
 * fails; after an abort, what was acquired so far.
 */
export async function acquireSources(
  fields: readonly SourceField[],
  { store, signal, emit, again }: Acquisition,
): Promise<Result<Resolutions, readonly Diagnostic[]>> {
  const found = new Map<string, Resolution>();
  const problems: Diagnostic[] = [];
  if (fields.length > 0) await createStore(store);
  for (const field of fields) {
    if (signal.aborted) break;
    const source = field.path;
    emit({ type: 'source-started', source });
    const started = performance.now();
    const report = throttled((progress: Parameters<SourceFetch['report']>[0]) =>
      emit({ type: 'source-progress', source, ...progress }),
    );
    try {
      const update = again === undefined ? {} : { again: { before: again.get(source) } };
      const onWait = (wait: SourceWait): void => emit({ type: 'source-waiting', source, ...wait });
      const resolution = await resolveSource(field, { store, signal, report, onWait, ...update });
      found.set(source, resolution);
      const milliseconds = Math.round(performance.now() - started);
      emit({ type: 'source-finished', source, milliseconds, ...resolution });
    } catch (error) {
      emit({ type: 'source-failed', source });
      if (signal.aborted) break;
      if (!isUserError(error)) throw error;
      const { code, message, help } = error;
      problems.push({ code, message, span: field.span, ...(help === undefined ? {} : { help }) });
    }
  }
  return problems.length === 0 ? ok(found) : err(problems);
}

/** What fetching a source needs besides its address. */
interface SourceFetch {
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly report: (progress: FetchProgress) => void;
  readonly onWait?: ((wait: SourceWait) => void) | undefined;
  /** Set to ignore the store's resolution. Nothing is downloaded if the revision is still that of `before`. */
  readonly again?: { readonly before: Resolution | undefined };
}

/** Resolves an address and moves its content into the store. */
async function resolveSource(field: SourceField, fetch: SourceFetch): Promise<Resolution> {
  const { store, signal, again } = fetch;
  const address = field.path;
  await using _lease = await leaseOf(address, fetch);
  // Another process may have just resolved it.
  const known = again === undefined ? readResolution(store, address) : undefined;
  if (known !== undefined) return known;
  const revision = await (await fetcherOf(field)).resolve({ address, signal, onWait: fetch.onWait });
  const before = again?.before;
  const resolution =
    before !== undefined && revision !== undefined && before.revision === revision
      ? before
      : await download(field, { ...fetch, revision });
  await writeResolution(store, { address, resolution });
  return resolution;
}

/** Ensures that the content of a resolved source is in the store. Throws if the address has another content by now. */
export async function ensureContent(
  field: SourceField,
  fetch: SourceFetch & { readonly resolution: Resolution },
): Promise<void> {
  const { store, resolution } = fetch;
  if ((await contentState(store, resolution.digest)) === 'present') return;
  await using _lease = await leaseOf(field.path, fetch);
  if ((await contentState(store, resolution.digest)) === 'present') return;
  const found = await download(field, { ...fetch, revision: resolution.revision });
  if (found.digest === resolution.digest)
    return await writeResolution(store, { address: field.path, resolution });
  throw new UserError({
    code: 'source-differs',
    message: `\`${field.path}\` is not what it was when it was resolved: its content is ${found.digest}, not ${resolution.digest}`,
    help: '`tuneloom update` accepts the present content',
  });
}

async function download(
  field: SourceField,
  { store, signal, report, onWait, revision }: SourceFetch & { readonly revision: string | undefined },
): Promise<Resolution> {
  const base = join(store.root, downloadPath(field.path));
  const folder = join(base, sourceName(revision ?? ''));
  await makeFolders(folder);
  const path = await (await fetcherOf(field)).fetch({
    address: field.path,
    revision,
    folder,
    signal,
    report,
    inspect: (path) => inspectSource(field, { path, shown: field.path }),
    onWait,
  });
  const digest = await ingest(store, path);
  await rm(base, { recursive: true, force: true });
  return { digest, ...(revision === undefined ? {} : { revision }) };
}

const fetcherOf = ({ path, resolver }: SourceField) => {
  if (resolver === undefined) throw new Error(`${path} is no remote source`);
  return resolver.load();
};

/** Two processes must not download to one folder. */
function leaseOf(address: string, { store, signal }: SourceFetch): ReturnType<typeof takeLease> {
  const key = parseCacheKey(sourceName(address));
  if (key === undefined) throw new TypeError('a source has no name');
  return takeLease(store, { key, signal, onWait: () => {} });
}
