import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import type { Digest } from '../store/digest.ts';
import type { Resolutions } from '../store/resolution.ts';
import type { Store } from '../store/store.ts';
import { digestPaths } from './digest-paths.ts';

/**
 * The digests of everything outside the store that the stages read; a diagnostic for each that cannot be read. A remote
 * source whose resolution is not known has none.
 */
export async function digestSources(
  nodes: Iterable<DagNode>,
  { store: { root, statCache }, resolutions }: { readonly store: Store; readonly resolutions: Resolutions },
): Promise<Result<SourceDigests, readonly Diagnostic[]>> {
  const fields = new Map([...nodes].flatMap(({ sources }) => sources.map((each) => [each.path, each])));
  const digests = new Map<string, Digest>();
  const problems = new Map<string, Diagnostic>();
  for (const field of fields.values()) {
    const known = field.resolver && resolutions.get(field.path)?.digest;
    if (known !== undefined) digests.set(field.path, known);
    const problem = field.resolver === undefined && misplaced(field, root);
    if (problem) problems.set(field.path, problem);
  }
  const local = [...fields.values()].filter(
    ({ path, resolver }) => resolver === undefined && !problems.has(path),
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

/** A source that the store stands in, or that cannot even be found. */
function misplaced(field: SourceField, store: string): Diagnostic | undefined {
  try {
    return contains(field.path, store) ? holdsStore(field, store) : undefined;
  } catch (error) {
    return unreadable(field, error);
  }
}

/** Whether the store stands in a source, links followed; a store that does not exist yet stands where it will be made. */
function contains(source: string, store: string): boolean {
  const inside = relative(realpathSync(source), realPathOf(store));
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
