import { readdirSync } from 'node:fs';
import { dirname, relative, sep } from 'node:path';
import { canonicalJson, err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { DagNode, ModuleDigests } from '../graph/dag.ts';
import { sha256 } from '../key/digest.ts';
import type { ModuleGraph } from '../module/bundle-stage.ts';
import { findModules } from '../module/find-modules.ts';
import type { OwnCode } from '../stage/stage-definition.ts';
import {
  type KnownModules,
  type ModuleCache,
  readModuleCache,
  saveModuleCache,
} from '../store/module-cache.ts';
import type { Store } from '../store/store.ts';
import { digestPath } from './source-digests.ts';

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
    const found = known === undefined ? await findModules(code.entry, spanOf()) : ok(undefined);
    if (!found.ok) problems.push(...found.error);
    const fresh = found.ok && found.value && (await digestModules(found.value, { code, store }));
    if (fresh) cache = { ...cache, [code.entry]: fresh };
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

/** The present modules of a stage's code. Reads every byte again. */
export async function modulesNow(node: DagNode): Promise<ModuleDigests | undefined> {
  const { code } = node.definition;
  if (code === undefined) return undefined;
  const found = await findModules(code.entry, node.spanOf());
  if (!found.ok) return {};
  return { ...(await digestModules(found.value, { code })).modules, ports: portsDigest(code) };
}

const portsDigest = ({ ports }: OwnCode): string => sha256(canonicalJson(ports));

/** Valid while no file has changed and no folder has other names, which could redirect an import. */
async function stillKnown(known: KnownModules | undefined, store: Store): Promise<KnownModules | undefined> {
  for (const [path, digest] of Object.entries(known?.witnesses ?? {}))
    if ((await witness(path, store).catch(() => undefined)) !== digest) return undefined;
  return known;
}

async function digestModules(
  { files, packages }: ModuleGraph,
  { code, store }: { readonly code: OwnCode; readonly store?: Store },
): Promise<KnownModules> {
  const folder = dirname(code.entry);
  const watched = [...files, ...packages.map(({ manifest }) => manifest)];
  const folders = [...new Set(files.map(dirname))].map((path) => `${path}${sep}`);
  const witnesses: [string, string][] = [];
  for (const path of [...watched, ...folders]) witnesses.push([path, await witness(path, store)]);
  const digests = new Map(witnesses);
  const modules = files.map((path) => [relative(folder, path).split(sep).join('/'), digests.get(path) ?? '']);
  const used = packages.map(({ name, version }) => [`npm:${name}`, version]);
  return {
    witnesses: Object.fromEntries(witnesses),
    modules: Object.fromEntries([...modules, ...used]),
  };
}

/** A path that ends in a separator is a folder, whose names count. */
const witness = async (path: string, store: Store | undefined): Promise<string> =>
  path.endsWith(sep) ? sha256(canonicalJson(readdirSync(path).sort())) : digestPath(path, store?.statCache);
