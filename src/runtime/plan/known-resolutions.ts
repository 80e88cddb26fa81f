import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode, SourceField } from '../graph/dag.ts';
import { ok, type Result } from '../result.ts';
import { type Resolution, type Resolutions, readResolution } from '../store/resolution.ts';
import type { Store } from '../store/store.ts';
import type { Lock } from './lock.ts';
import { lockedName, readLock } from './lock-file.ts';

/** Every remote source that the stages read, each address once. */
export const remoteSources = (nodes: Iterable<DagNode>): readonly SourceField[] => [
  ...new Map(
    [...nodes].flatMap(({ sources }) =>
      sources.filter(({ resolver }) => resolver !== undefined).map((field) => [field.path, field] as const),
    ),
  ).values(),
];

/** What is known of remote sources without looking at any network: the lock counts, then what the store remembers. */
export function knownResolutions(
  fields: readonly SourceField[],
  known: { readonly dag: Dag; readonly lock: Lock | undefined; readonly store?: Store },
): Resolutions {
  const { dag, lock, store } = known;
  return new Map(
    fields.flatMap((field): readonly (readonly [string, Resolution])[] => {
      const resolution =
        lock?.sources.get(lockedName(dag, field)) ?? (store && readResolution(store, field.path));
      return resolution === undefined ? [] : [[field.path, resolution]];
    }),
  );
}

/** As knownResolutions, with the lock beside the pipeline, which is read only where a source is remote. */
export function plannedResolutions(
  nodes: readonly DagNode[],
  { dag, store }: { readonly dag: Dag; readonly store: Store },
): Result<Resolutions, readonly Diagnostic[]> {
  const fields = remoteSources(nodes);
  if (fields.length === 0) return ok(new Map());
  const lock = readLock(dag);
  if (!lock.ok) return { ok: false, error: [lock.error] };
  return ok(knownResolutions(fields, { dag, lock: lock.value, store }));
}
