import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode, SourceField } from '../graph/dag.ts';
import type { Digest } from '../key/digest.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { isSourcePattern, sourceExists } from '../stage/source-pattern.ts';
import { type Resolution, type Resolutions, readResolution } from '../store/resolution.ts';
import type { Store } from '../store/store.ts';
import { type Lock, lockedName } from './lock.ts';
import { digestPaths } from './read-source.ts';

/**
 * The digests of all sources of the stages; a diagnostic for each that cannot be read. A remote source without a known
 * resolution has none.
 */
export async function digestSources(
  nodes: Iterable<DagNode>,
  {
    store: { root, statCache },
    resolutions,
    locked,
  }: {
    readonly store: Store;
    readonly resolutions: Resolutions;
    /** What a local source held that is not on this machine, by its path. */
    readonly locked: (path: string) => Digest | undefined;
  },
): Promise<Result<SourceDigests, readonly Diagnostic[]>> {
  const fields = new Map([...nodes].flatMap(({ sources }) => sources.map((each) => [each.path, each])));
  const digests = new Map<string, Digest>();
  const problems = new Map<string, Diagnostic>();
  for (const field of fields.values()) {
    const isAbsent = field.resolver === undefined && !sourceExists(field.path);
    const known = isAbsent ? locked(field.path) : field.resolver && resolutions.get(field.path)?.digest;
    if (known !== undefined) digests.set(field.path, known);
    if (isAbsent && known !== undefined) continue;
    const problem = field.resolver === undefined && misplaced(field, root);
    if (problem) problems.set(field.path, problem);
  }
  const local = [...fields.values()].filter(
    ({ path, resolver }) => resolver === undefined && !problems.has(path) && !digests.has(path),
  );
  const found = await digestPaths(
    local.map(({ path }) => path),
    statCache,
  );
  for (const [index, field] of local.entries()) {
    const digest = found[index];
    if (digest?.ok === true) digests.set(field.path, digest.value);
    else problems.set(field.path, unreadable(field, digest?.error));
  }
  const inOrder = [...fields.keys()].flatMap((path) => problems.get(path) ?? []);
  return inOrder.length === 0 ? ok(digests) : err(inOrder);
}

/** A diagnostic if the source contains the store or cannot be found. */
function misplaced(field: SourceField, store: string): Diagnostic | undefined {
  try {
    return contains(field.path, store) ? holdsStore(field, store) : undefined;
  } catch (error) {
    return unreadable(field, error);
  }
}

/** Whether a source contains the store, links followed. The store may not exist yet. */
function contains(source: string, store: string): boolean {
  const folder = isSourcePattern(source) ? undefined : realpathSync(source);
  if (folder === undefined) return false;
  const inside = relative(folder, realPathOf(store));
  return inside.split(sep)[0] !== '..' && !isAbsolute(inside);
}

const realPathOf = (path: string): string =>
  existsSync(path) || dirname(path) === path
    ? realpathSync(path)
    : join(realPathOf(dirname(path)), basename(path));

const holdsStore = ({ path, span }: SourceField, store: string): Diagnostic => ({
  code: 'source-holds-store',
  message: `\`${path}\` holds the store \`${store}\`, so every run would change it`,
  span,
  help: 'name the folder or the files that hold the data alone, or put the store elsewhere with --store',
});

function unreadable(field: SourceField, error: unknown): Diagnostic {
  const why = error instanceof Error ? error.message : String(error);
  return { code: 'unreadable-source', message: `\`${field.path}\` cannot be read: ${why}`, span: field.span };
}

/** The remote sources of the stages, each address once. */
export const remoteSources = (nodes: Iterable<DagNode>): readonly SourceField[] => [
  ...new Map(
    [...nodes].flatMap(({ sources }) =>
      sources.filter(({ resolver }) => resolver !== undefined).map((field) => [field.path, field] as const),
    ),
  ).values(),
];

/** The resolutions of remote sources that are known without the network: from the lock, else from the store. */
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
