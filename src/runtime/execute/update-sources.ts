import { didYouMean, err, ok, type Result } from '../../core/index.ts';
import { type Diagnostic, fewOf } from '../diagnostic/diagnostic.ts';
import type { Dag, SourceField } from '../graph/dag.ts';
import { type Lock, readLock, writeLock } from '../plan/lock.ts';
import { knownResolutions, remoteSources } from '../plan/source-digests.ts';
import type { RunEvent } from '../stage/run-event.ts';
import type { Resolution, Resolutions } from '../store/resolution.ts';
import type { Store } from '../store/store.ts';
import { linkedStore } from '../store/store-layout.ts';
import { acquireSources } from './acquire-sources.ts';

interface SourceUpdate {
  readonly dag: Dag;
  readonly store: Store;
  /** Addresses as the pipeline has them; empty: all of its remote sources. */
  readonly addresses: readonly string[];
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/** A remote source that was resolved again. */
export interface UpdatedSource {
  readonly address: string;
  /** Absent if it was not resolved before. */
  readonly before?: Resolution;
  readonly after: Resolution;
}

interface UpdateResult {
  readonly sources: readonly UpdatedSource[];
  /** Why the lock could not be written, if so. */
  readonly lockProblem: string | undefined;
}

/** Resolves remote sources again and locks the result; the lock's stages stay until the next run. */
export async function updateSources(
  update: SourceUpdate,
): Promise<Result<UpdateResult, readonly Diagnostic[]>> {
  const { dag, store, signal, onEvent } = update;
  const linked = linkedStore(store);
  if (linked !== undefined) return err([linked]);
  const lock = readLock(dag);
  if (!lock.ok) return err([lock.error]);
  const fields = chosenFields(update);
  if (!fields.ok) return fields;
  const again = knownResolutions(fields.value, { dag, lock: lock.value, store });
  const acquired = await acquireSources(fields.value, { store, signal, emit: onEvent, again });
  if (!acquired.ok) return acquired;
  await store.statCache.save();
  const lockProblem = await lockSources(dag, { previous: lock.value, resolutions: acquired.value });
  const sources = [...acquired.value].map(([address, after]) => {
    const before = again.get(address);
    return { address, after, ...(before === undefined ? {} : { before }) };
  });
  return ok({ sources, lockProblem });
}

function lockSources(
  dag: Dag,
  { previous, resolutions }: { readonly previous: Lock | undefined; readonly resolutions: Resolutions },
): Promise<string | undefined> {
  const sources = new Map([...(previous?.sources ?? []), ...resolutions]);
  return writeLock(dag, { lock: { sources, stages: previous?.stages ?? new Map() }, previous });
}

function chosenFields({
  dag,
  addresses,
}: SourceUpdate): Result<readonly SourceField[], readonly Diagnostic[]> {
  const fields = remoteSources(dag.nodes.values());
  const known = fields.map(({ path }) => path);
  const unknown = addresses.filter((address) => !known.includes(address));
  if (unknown.length > 0) return err(unknown.map((address) => notASource(address, { dag, known })));
  return ok(addresses.length === 0 ? fields : fields.filter(({ path }) => addresses.includes(path)));
}

function notASource(
  address: string,
  { dag, known }: { readonly dag: Dag; readonly known: readonly string[] },
): Diagnostic {
  const all =
    known.length === 0 ? 'all of its sources are local' : `its remote sources are ${fewOf(known, 'and')}`;
  return {
    code: 'unknown-source',
    message: `the pipeline ${dag.name} has no remote source \`${address}\``,
    help: didYouMean(address, known) ?? all,
  };
}
