import { readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { isObject } from '../../core/index.ts';

/** An installed package, which its name and version identify. */
export interface UsedPackage {
  readonly name: string;
  readonly version: string;
  /** Absolute path of its package.json, as it was found. */
  readonly manifest: string;
  /** Absolute real path. */
  readonly folder: string;
}

/** An import of an installed package, which stays outside the bundle. */
export interface PackageImport {
  readonly importer: string;
  readonly specifier: string;
  readonly used: UsedPackage;
}

/** The package of a file in node_modules: the nearest package.json above it with a name and a version. */
export function findPackage(file: string): UsedPackage | undefined {
  for (let folder = dirname(file); folder.includes(`${sep}node_modules${sep}`); folder = dirname(folder)) {
    const used = packageAt(join(folder, 'package.json'));
    if (used !== undefined) return used;
  }
  return undefined;
}

function packageAt(manifest: string): UsedPackage | undefined {
  const { name, version } = readManifest(manifest) ?? {};
  if (typeof name !== 'string' || typeof version !== 'string' || version === '') return undefined;
  return usedPackage({ name, version, manifest });
}

const usedPackage = (found: Omit<UsedPackage, 'folder'>): UsedPackage => ({
  ...found,
  folder: dirname(realpathSync(found.manifest)),
});

/** A package.json; undefined if there is none, empty if it is no JSON object. */
export function readManifest(path: string): Partial<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return isObject(value) ? value : {};
  } catch (error) {
    return error instanceof SyntaxError ? {} : undefined;
  }
}

/** The folders in which Node looks for `node_modules`, from the nearest. */
export function* foldersAbove(folder: string): Generator<string> {
  for (let above = folder; ; above = dirname(above)) {
    if (basename(above) !== 'node_modules') yield above;
    if (dirname(above) === above) return;
  }
}

/** A package that another one names in its package.json. */
interface Dependency {
  readonly of: UsedPackage;
  /** As it is named there. */
  readonly name: string;
  readonly used: UsedPackage;
}

/** Everything that packages depend on, found as Node finds it. */
export interface PackageTree {
  readonly dependencies: readonly Dependency[];
  /** Every package.json that was looked for, also in vain. */
  readonly looked: readonly string[];
}

/** The packages that packages depend on, directly and through others. One that is not installed is left out. */
export function dependenciesOf(packages: readonly UsedPackage[]): PackageTree {
  const looked = new Set(packages.map(({ manifest }) => manifest));
  const dependencies: Dependency[] = [];
  const open = [...packages];
  const seen = new Set<string>();
  for (let used = open.pop(); used !== undefined; used = open.pop()) {
    if (seen.has(used.folder)) continue;
    seen.add(used.folder);
    for (const name of dependencyNames(used.manifest)) {
      const found = lookUp(name, { folder: used.folder, looked });
      if (found === undefined) continue;
      dependencies.push({ of: used, name, used: found });
      open.push(found);
    }
  }
  return { dependencies, looked: [...looked] };
}

const dependencyNames = (manifest: string): readonly string[] => {
  const { dependencies, optionalDependencies, peerDependencies } = readManifest(manifest) ?? {};
  const fields = [dependencies, optionalDependencies, peerDependencies];
  return [...new Set(fields.flatMap((field) => (isObject(field) ? Object.keys(field) : [])))].sort();
};

function lookUp(
  name: string,
  { folder, looked }: { readonly folder: string; readonly looked: Set<string> },
): UsedPackage | undefined {
  for (const above of foldersAbove(folder)) {
    const manifest = join(above, 'node_modules', ...name.split('/'), 'package.json');
    looked.add(manifest);
    const fields = readManifest(manifest);
    if (fields === undefined) continue;
    const version = typeof fields.version === 'string' ? fields.version : 'no version';
    return usedPackage({ name: typeof fields.name === 'string' ? fields.name : name, version, manifest });
  }
  return undefined;
}
