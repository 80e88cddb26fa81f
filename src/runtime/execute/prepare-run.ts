import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { DagNode, SourceField } from '../graph/dag.ts';
import type { SourceDigests } from '../key/key-material.ts';
import { type Lock, readLock } from '../plan/lock.ts';
import { lockDifferences } from '../plan/lock-differences.ts';
import { readModules } from '../plan/read-modules.ts';
import { selectStages } from '../plan/select-stages.ts';
import { digestSources, knownResolutions, remoteSources } from '../plan/source-digests.ts';
import type { Resolutions } from '../store/resolution.ts';
import { linkedFolder } from '../store/store-layout.ts';
import { acquireSources } from './acquire-sources.ts';
import type { RunOptions } from './run-context.ts';

/** What a run starts from, once its pipeline has no mistakes. */
export interface PreparedRun {
  readonly nodes: ReadonlyMap<string, DagNode>;
  readonly sources: SourceDigests;
  readonly resolutions: Resolutions;
  readonly lock: Lock | undefined;
}

/** Selects the stages, digests everything that they read and holds it to the lock with `locked`. */
export async function prepareRun(options: RunOptions): Promise<Result<PreparedRun, readonly Diagnostic[]>> {
  const { dag, store, locked } = options;
  const selected = selectStages(dag, options);
  const read = selected.ok ? await readModules(selected.value, store) : selected;
  if (!read.ok) return read;
  const link = linkedFolder(store);
  if (link !== undefined) return err([linkedStore(store.root, link)]);
  const readLocked = readLock(dag);
  if (!readLocked.ok) return err([readLocked.error]);
  const [nodes, lock] = [read.value, readLocked.value];
  const resolved = await resolutionsOf(options, { nodes, lock });
  if (!resolved.ok) return resolved;
  const resolutions = resolved.value;
  const digested = await digestSources(nodes.values(), { store, resolutions });
  if (!digested.ok) return digested;
  const sources = digested.value;
  if (locked === true) {
    const whole = { ...dag, nodes: new Map([...dag.nodes, ...nodes]) };
    const differences = lockDifferences({ dag: whole, lock, sources });
    if (differences.length > 0) return err(differences);
  }
  return ok({ nodes, sources, resolutions, lock });
}

/** Resolves the remote sources that are not known yet, unless the run is held to its lock. */
async function resolutionsOf(
  { dag, store, locked = false, signal = never, onEvent: emit = () => {} }: RunOptions,
  { nodes, lock }: Pick<PreparedRun, 'nodes' | 'lock'>,
): Promise<Result<Resolutions, readonly Diagnostic[]>> {
  const fields = remoteSources(nodes.values());
  const known = knownResolutions(fields, { dag, lock, ...(locked ? {} : { store }) });
  const unknown = fields.filter(({ path }) => !known.has(path));
  if (unknown.length === 0 || (locked && lock === undefined)) return ok(known);
  if (locked) return err(unknown.map(notInLock));
  const acquired = await acquireSources(unknown, { store, signal, emit });
  return acquired.ok ? ok(new Map([...known, ...acquired.value])) : acquired;
}

const never = new AbortController().signal;

const notInLock = ({ path, span }: SourceField): Diagnostic => ({
  code: 'differs-from-lock',
  message: `\`${path}\` is not in the lock, and --locked resolves nothing new`,
  span,
  help: 'run without --locked, or `tuneloom update`, to lock it',
});

const linkedStore = (root: string, link: string): Diagnostic => ({
  code: 'linked-store',
  message: `\`${link}\` of the store ${root} is a link, which tuneloom never makes there: it could lead out of the store`,
  help: 'delete the link; to keep results elsewhere name the whole store with --store or TUNELOOM_STORE',
});
