import { dirname, sep } from 'node:path';
import { canonicalJson, err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { Dag, DagNode, ModuleDigests } from '../graph/dag.ts';
import { sha256 } from '../key/digest.ts';
import { findModules } from '../module/find-modules.ts';
import { digestModules, type ModuleGraph } from '../module/module-graph.ts';
import { stateOfFolder, statIfAny, watchedPaths } from '../module/watched-paths.ts';
import type { OwnCode } from '../stage/stage-definition.ts';
import {
  type KnownModules,
  type ModuleCache,
  readModuleCache,
  saveModuleCache,
} from '../store/module-cache.ts';
import type { Store } from '../store/store.ts';
import { digestPath, isSettled } from './read-source.ts';

type Nodes = ReadonlyMap<string, DagNode>;

/** Adds the modules of the code to users' stages; gives a diagnostic for each mistake in that code. */
export async function readModules(nodes: Nodes, store: Store): Promise<Result<Nodes, readonly Diagnostic[]>> {
  const own = [...nodes.values()].filter(({ definition }) => definition.code !== undefined);
  if (own.length === 0) return ok(nodes);
  const before = readModuleCache(store);
  let cache: ModuleCache = before;
  const problems: Diagnostic[] = [];
  const read = new Map<string, ModuleDigests>();
  for (const { definition, spanOf } of own) {
    const { code } = definition;
    if (code === undefined || read.has(code.entry)) continue;
    const known = await stillKnown(cache[code.entry], store);
    const begun = BigInt(Date.now()) * 1_000_000n;
    const found = known === undefined ? await findModules(code.entry, spanOf()) : ok(undefined);
    if (!found.ok) problems.push(...found.error);
    const fresh = found.ok && found.value && (await knowModules(found.value, { entry: code.entry, store }));
    if (fresh && isSettledAt(fresh, begun)) cache = { ...cache, [code.entry]: fresh };
    read.set(code.entry, { ...(fresh || known)?.modules, ports: portsDigest(code) });
  }
  if (problems.length > 0) return err(problems);
  if (cache !== before) await saveModuleCache(store, cache);
  const withModules = (node: DagNode): DagNode => {
    const modules = read.get(node.definition.code?.entry ?? '');
    return modules === undefined ? node : { ...node, modules };
  };
  return ok(new Map([...nodes].map(([id, node]) => [id, withModules(node)])));
}

/**
 * Looks up what the code of users' stages consists of: the folder of each, and the modules elsewhere that its last bundling
 * found, without packages. Absolute paths.
 */
export type CodePaths = () => readonly string[];

export function codePaths({ nodes }: Pick<Dag, 'nodes'>, store: Store): CodePaths {
  const entries = new Set([...nodes.values()].flatMap(({ definition }) => definition.code?.entry ?? []));
  return () => {
    if (entries.size === 0) return [];
    const cache = readModuleCache(store);
    const paths = [...entries].flatMap((entry) => [
      dirname(entry),
      ...Object.keys(cache[entry]?.watched ?? {}).filter(
        (path) => !path.endsWith(sep) && !path.includes(`${sep}node_modules${sep}`),
      ),
    ]);
    return [...new Set(paths)];
  };
}

/** The key's part of code that has just been bundled. */
export const modulesOf = (graph: ModuleGraph, code: OwnCode): ModuleDigests => ({
  ...digestModules(graph),
  ports: portsDigest(code),
});

const portsDigest = ({ ports }: OwnCode): string => sha256(canonicalJson(ports));

async function stillKnown(known: KnownModules | undefined, store: Store): Promise<KnownModules | undefined> {
  for (const [path, state] of Object.entries(known?.watched ?? {}))
    if ((await stateOf(path, store)) !== state) return undefined;
  return known;
}

async function knowModules(
  graph: ModuleGraph,
  { entry, store }: { readonly entry: string; readonly store: Store },
): Promise<KnownModules> {
  const watched: [string, string][] = [];
  for (const path of watchedPaths(graph, entry))
    watched.push([path, graph.modules.get(path) ?? (await stateOf(path, store))]);
  return { watched: Object.fromEntries(watched), modules: digestModules(graph) };
}

/** Whether nothing changed between the bundling, which began then, and the look at what it depends on. */
const isSettledAt = ({ watched }: KnownModules, begun: bigint): boolean =>
  Object.keys(watched).every((path) => {
    const stat = statIfAny(path);
    return stat === undefined || isSettled(stat, begun);
  });

/** Empty for what does not exist. */
async function stateOf(path: string, { statCache }: Store): Promise<string> {
  if (path.endsWith(sep)) return stateOfFolder(path);
  const found = statIfAny(path);
  if (found?.isFile() !== true) return '';
  return statCache.find(path, found) ?? (await digestPath(path, statCache).catch(() => ''));
}
