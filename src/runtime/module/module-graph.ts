import { dirname, extname, join, relative, resolve, sep } from 'node:path';
import type { Metafile } from 'esbuild';
import type { ModuleDigests } from '../graph/dag.ts';
import {
  dependenciesOf,
  type PackageImport,
  type PackageTree,
  readManifest,
  type UsedPackage,
} from './used-packages.ts';

/** The modules and packages of a stage's code, and how it names them. */
export interface ModuleGraph {
  /** Absolute real path. */
  readonly entry: string;
  /** Absolute path of each of the user's own modules -> the digest of its content. */
  readonly modules: ReadonlyMap<string, string>;
  readonly imports: readonly ModuleImport[];
  readonly packageImports: readonly PackageImport[];
  /** What those packages depend on. */
  readonly tree: PackageTree;
  /** The `type` of the package.json that decides how a module is read, of those where it makes a difference. */
  readonly types: ReadonlyMap<string, string>;
}

/** An import of one of the user's own modules by another. */
interface ModuleImport {
  readonly importer: string;
  readonly specifier: string;
  /** By `require`, which may get another file than `import`. */
  readonly isRequired: boolean;
  /** Absolute path; for a pattern, such as `./data/*.js`, undefined. */
  readonly target: string | undefined;
}

/** Puts together what esbuild tells, with the digests of what it read and the packages that stay outside. */
export function moduleGraphOf(found: {
  readonly entry: string;
  readonly metafile: Metafile;
  readonly digests: ReadonlyMap<string, string>;
  readonly packageImports: readonly PackageImport[];
}): ModuleGraph {
  const { entry, metafile, digests, packageImports } = found;
  const folder = dirname(entry);
  const inputs = Object.entries(metafile.inputs).map(
    ([path, input]) => ({ path: resolve(folder, path), ...input }) as const,
  );
  const imports = inputs.flatMap(({ path: importer, imports }) =>
    imports.flatMap(({ path, kind, original = path, external }): readonly ModuleImport[] => {
      const isRequired = kind.startsWith('require');
      if (external !== true)
        return [{ importer, specifier: original, isRequired, target: resolve(folder, path) }];
      return path.startsWith('.') ? [{ importer, specifier: path, isRequired, target: undefined }] : [];
    }),
  );
  return {
    entry,
    modules: new Map(inputs.map(({ path }) => [path, digestAt(path, digests)] as const).sort(byName)),
    imports,
    packageImports,
    tree: dependenciesOf(packageImports.map(({ used }) => used)),
    types: typesThatCount(inputs, imports),
  };
}

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]) => (a < b ? -1 : 1);

function digestAt(path: string, digests: ReadonlyMap<string, string>): string {
  const digest = digests.get(path);
  if (digest === undefined) throw new Error(`esbuild bundled ${path} without reading it`);
  return digest;
}

type Input = Metafile['inputs'][string] & { readonly path: string };

/** Extensions that leave it to the nearest package.json whether a module is CommonJS. */
const undecided = ['.js', '.jsx', '.ts', '.tsx'];

/** It makes a difference for a module that is not plainly an ES module, and for one that imports CommonJS. */
function typesThatCount(
  inputs: readonly Input[],
  imports: readonly ModuleImport[],
): ReadonlyMap<string, string> {
  const plain = new Set(inputs.flatMap(({ path, format }) => (format === 'esm' ? [path] : [])));
  const importing = new Set(
    imports.flatMap(({ importer, target }) => (target !== undefined && !plain.has(target) ? [importer] : [])),
  );
  const types = inputs.flatMap(({ path }): readonly (readonly [string, string])[] => {
    if (!undecided.includes(extname(path)) || (plain.has(path) && !importing.has(path))) return [];
    const { type } = readManifest(join(scopeOf(path), 'package.json')) ?? {};
    return typeof type === 'string' ? [[path, type]] : [];
  });
  return new Map(types);
}

/** The folder of the package.json that a module belongs to, or the root folder. */
export function scopeOf(module: string): string {
  let folder = dirname(module);
  while (readManifest(join(folder, 'package.json')) === undefined && dirname(folder) !== folder)
    folder = dirname(folder);
  return folder;
}

/**
 * What decides what a stage's code does, by name. The path of a module from the stage's folder has its content's digest,
 * `npm:name` a package's version. Where these leave open what an import means, `importer > specifier` has what it resolves
 * to, and `module > package.json#type` whether the module is CommonJS. No name depends on where the stage is.
 */
export function digestModules({ entry, modules, imports, ...graph }: ModuleGraph): ModuleDigests {
  const nameOf = (path: string): string => relative(dirname(entry), path).split(sep).join('/');
  const { packageImports, tree, types } = graph;
  const installed = new Map<string, Map<string, string>>();
  for (const { used } of [...packageImports, ...tree.dependencies])
    installed.set(used.name, (installed.get(used.name) ?? new Map()).set(used.folder, used.version));
  const isOnly = (name: string): boolean => installed.get(name)?.size === 1;
  const spell = ({ name, version, folder }: UsedPackage): string =>
    `npm:${name}@${version}${isOnly(name) ? '' : ` in ${nameOf(folder)}`}`;
  const isOpen = (specifier: string, { name }: UsedPackage): boolean =>
    packageNameOf(specifier) !== name || !isOnly(name);
  const entries = [
    ...[...modules].map(([path, digest]) => [nameOf(path), digest]),
    ...[...installed].map(([name, copies]) => [`npm:${name}`, versionsOf(copies)]),
    ...imports.flatMap(({ importer, specifier, isRequired, target }) => {
      if (target === undefined || isPlain({ importer, specifier, target }, modules)) return [];
      const written = isRequired ? `require(${specifier})` : specifier;
      return [[`${nameOf(importer)} > ${written}`, nameOf(target)]];
    }),
    ...packageImports
      .filter(({ specifier, used }) => isOpen(specifier, used))
      .map(({ importer, specifier, used }) => [`${nameOf(importer)} > ${specifier}`, spell(used)]),
    ...tree.dependencies
      .filter(({ name, used }) => isOpen(name, used))
      .map(({ of, name, used }) => [`${spell(of)} > ${name}`, spell(used)]),
    ...[...types].map(([path, type]) => [`${nameOf(path)} > package.json#type`, type]),
  ];
  return Object.fromEntries(entries);
}

const versionsOf = (copies: ReadonlyMap<string, string>): string =>
  [...new Set(copies.values())].sort().join(', ');

/** The package that an import names: `@scope/name/file` names `@scope/name`. */
export const packageNameOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** Whether a relative import can mean no other of the modules. */
function isPlain(
  { importer, specifier, target }: { importer: string; specifier: string; target: string },
  modules: ReadonlyMap<string, string>,
): boolean {
  if (!specifier.startsWith('.')) return false;
  const path = resolve(dirname(importer), specifier);
  const stems = [path, stemOf(path), join(path, 'index')];
  const fits = (module: string): boolean => module === path || stems.includes(stemOf(module));
  return [...modules.keys()].filter(fits).join() === target;
}

const stemOf = (path: string): string => path.slice(0, path.length - extname(path).length);
