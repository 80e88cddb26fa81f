import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Diagnostic } from '../diagnostic/diagnostic.ts';
import type { LoadedDag } from '../graph/dag.ts';
import { findModules } from './find-modules.ts';
import { scopeOf } from './module-graph.ts';

/** What a definition consists of besides its data, as absolute paths. */
export interface DefinitionFiles {
  /** YAML files, the modules of users' stages, and the package.json files that say how to read and install those. */
  readonly files: readonly string[];
  /** The names of the installed packages that users' stages import. They are not among the files. */
  readonly packages: readonly string[];
}

/** Lists the files of a definition; a diagnostic for each mistake in the code of users' stages. Runs none of it. */
export async function definitionFiles(
  dag: LoadedDag,
): Promise<Result<DefinitionFiles, readonly Diagnostic[]>> {
  const files = new Set(dag.files);
  const packages = new Set<string>();
  const problems: Diagnostic[] = [];
  const entries = new Map(
    [...dag.nodes.values()].flatMap((node) =>
      node.definition.code === undefined ? [] : [[node.definition.code.entry, node] as const],
    ),
  );
  for (const [entry, node] of entries) {
    const graph = await findModules(entry, node.spanOf());
    if (!graph.ok) {
      problems.push(...graph.error);
      continue;
    }
    // A module has its real path; the entry has the one by which the pipeline names it.
    const [real, named] = [realpathSync(dirname(entry)), dirname(entry)];
    const asNamed = (path: string): string =>
      path.startsWith(real + sep) ? join(named, path.slice(real.length)) : path;
    for (const path of graph.value.modules.keys()) {
      files.add(asNamed(path));
      for (const manifest of manifestsOf(scopeOf(path))) files.add(asNamed(manifest));
    }
    for (const { used } of graph.value.packageImports) packages.add(used.name);
  }
  if (problems.length > 0) return err(problems);
  return ok({ files: [...files].sort(), packages: [...packages].sort() });
}

/** The package.json of a folder, and the lock that says which versions to install. */
const manifestsOf = (scope: string): readonly string[] =>
  ['package.json', 'package-lock.json'].map((name) => join(scope, name)).filter((path) => existsSync(path));
