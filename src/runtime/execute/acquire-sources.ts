import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { RunEvent } from '../event/run-event.ts';
import type { SourceField } from '../graph/dag.ts';
import { err, ok, type Result } from '../result.ts';
import type { Resolution, Resolutions } from '../store/resolution.ts';
import { createStore, type Store } from '../store/store.ts';
import { isUserError } from './failure-of.ts';
import { resolveSource, type SourceFetch } from './fetch-source.ts';
import { throttled } from './throttle-progress.ts';

export interface Acquisition {
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly emit: (event: RunEvent) => void;
  /** Resolve what is known already once more: what it was known to be, by address. */
  readonly again?: Resolutions;
}

/**
 * Resolves remote sources and takes their contents into the store, one after the other. A diagnostic for each that
 * cannot be; an abort ends it with what has come in so far.
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
      const asked = again === undefined ? {} : { again: { before: again.get(source) } };
      const resolution = await resolveSource(field, { store, signal, report, ...asked });
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
