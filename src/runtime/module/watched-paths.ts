import { type BigIntStats, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { canonicalJson, isObject } from '../../core/index.ts';
import { sha256 } from '../key/digest.ts';
import { type ModuleGraph, packageNameOf, scopeOf } from './module-graph.ts';
import { foldersAbove, readManifest } from './used-packages.ts';

/**
 * The paths that decide what a stage's code consists of: while none of them changes, its imports resolve to the same files.
 * A path that ends in a separator is a folder, whose entries count; any other is a file. Many do not exist: a file that
 * appears there would be found first. `entry` is the path by which the pipeline names the entry module.
 */
export function watchedPaths(graph: ModuleGraph, entry: string): readonly string[] {
  const watched = new Set([asFolder(dirname(entry)), ...graph.tree.looked]);
  for (const path of graph.modules.keys()) {
    watched.add(path);
    watched.add(asFolder(dirname(path)));
    for (const manifest of manifestsFor(path)) watched.add(manifest);
  }
  for (const { importer, specifier, target } of graph.imports) {
    if (target === undefined) for (const folder of foldersOfPattern(importer, specifier)) watched.add(folder);
    else for (const path of lookedUp(importer, specifier)) watched.add(path);
    if (target !== undefined)
      for (const folder of foldersWithin(topOf({ importer, specifier, target }), target)) watched.add(folder);
  }
  for (const { importer, specifier } of graph.packageImports)
    for (const path of lookedUp(importer, specifier)) watched.add(path);
  return [...watched];
}

const asFolder = (path: string): string => (path.endsWith(sep) ? path : `${path}${sep}`);

/** Where the package.json of a module is, and where one would be nearer. */
function* manifestsFor(module: string): Generator<string> {
  const scope = scopeOf(module);
  for (let folder = dirname(module); ; folder = dirname(folder)) {
    yield join(folder, 'package.json');
    if (folder === scope) return;
  }
}

/** The folder that an import names, or the root of the package. */
const topOf = (to: { importer: string; specifier: string; target: string }): string =>
  isPath(to.specifier) ? resolve(dirname(to.importer), to.specifier) : scopeOf(to.target);

const isPath = (specifier: string): boolean => specifier.startsWith('.') || isAbsolute(specifier);

/** The folders from a file's up to one that holds it; a package.json may lead to the file through any of them. */
function* foldersWithin(top: string, file: string): Generator<string> {
  if (dirname(top) === top) return;
  for (let folder = dirname(file); `${folder}${sep}`.startsWith(`${top}${sep}`); folder = dirname(folder))
    yield asFolder(folder);
}

/** Every folder below the one where the pattern of an import begins. */
function foldersOfPattern(importer: string, pattern: string): readonly string[] {
  const fixed = pattern.slice(0, pattern.indexOf('*'));
  const top = resolve(dirname(importer), fixed.slice(0, fixed.lastIndexOf('/') + 1));
  const below = entriesOf(top)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => foldersOfPattern(importer, `${join(top, name)}/*`));
  return [asFolder(top), ...below];
}

/** What may be looked at to resolve an import. */
function* lookedUp(importer: string, specifier: string): Generator<string> {
  const folder = dirname(importer);
  if (isPath(specifier)) {
    yield* around(resolve(folder, specifier));
    return;
  }
  if (!specifier.startsWith('#')) {
    yield* inNodeModules(folder, specifier);
    return;
  }
  const scope = scopeOf(importer);
  for (const target of textsIn(readManifest(join(scope, 'package.json'))?.imports))
    if (!target.startsWith('.')) yield* inNodeModules(scope, target);
}

/** A path may name a file with or without its extension, or a folder with an index or a package.json. */
function* around(path: string): Generator<string> {
  yield asFolder(dirname(path));
  yield asFolder(path);
  yield join(path, 'package.json');
}

function* inNodeModules(folder: string, specifier: string): Generator<string> {
  const name = packageNameOf(specifier);
  for (const above of foldersAbove(folder)) {
    for (const file of ['.pnp.cjs', '.pnp.js', '.pnp.data.json']) yield join(above, file);
    const modules = join(above, 'node_modules');
    yield asFolder(modules);
    if (!exists(modules)) continue;
    yield* around(join(modules, name));
    if (name !== specifier) yield* around(join(modules, specifier));
  }
}

const exists = (path: string): boolean => statIfAny(path) !== undefined;

/** What is at a path; undefined for nothing, and below a file. */
export function statIfAny(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Every text in a JSON value: the targets of `imports`, whatever their conditions. */
const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) || isObject(value) ? Object.values(value).flatMap(textsIn) : [];
};

/** What counts of a folder: where it is, the names in it and where the links among them lead. Empty if there is none. */
export function stateOfFolder(path: string): string {
  const entries = entriesOf(path).map((entry) =>
    entry.isSymbolicLink() ? [entry.name, realPathOf(join(path, entry.name))] : [entry.name],
  );
  if (entries.length === 0 && !exists(path)) return '';
  return sha256(canonicalJson([realPathOf(path), ...entries.sort()]));
}

/** Empty for a link that leads nowhere. */
function realPathOf(link: string): string {
  try {
    return realpathSync.native(link);
  } catch {
    return '';
  }
}

const entriesOf = (path: string) => {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
};
