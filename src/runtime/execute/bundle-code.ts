import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { DagNode, ModuleDigests } from '../graph/dag.ts';
import { bundleStage } from '../module/bundle-stage.ts';
import { modulesOf } from '../plan/read-modules.ts';
import type { Failure } from '../stage/run-event.ts';
import { forgetModules } from '../store/module-cache.ts';
import type { Store } from '../store/store.ts';
import { attemptFiles } from '../store/store-layout.ts';

/** The code of a user's stage, ready to run. */
export interface BundledCode {
  /** Absolute path; absent for a built-in stage. */
  readonly code?: string;
  /** The package.json of each package that it imports, directly or through others: Node loads these when it runs. */
  readonly manifests: readonly string[];
}

/** The module beside the stage process that users' stages import as `tuneloom/stage`. */
const stageApiFile = 'stage.js';

/**
 * Bundles the code of a user's stage into the attempt's folder, if it is the code that the key was computed from. From
 * then on the stage runs the bundle, so that edits of its modules no longer matter. Does nothing for a built-in stage.
 */
export async function bundleCode(
  { definition, modules = {} }: DagNode,
  attempt: {
    readonly folder: string;
    readonly stageProcess: string;
    readonly store: Store;
    /** An earlier process has bundled it into the folder. */
    readonly again: boolean;
  },
): Promise<Result<BundledCode, Failure>> {
  const { code } = definition;
  if (code === undefined) return ok({ manifests: [] });
  const { entry } = code;
  const outfile = join(attempt.folder, attemptFiles.code);
  try {
    const { graph } = await bundleStage({
      entry,
      stageApi: join(dirname(attempt.stageProcess), stageApiFile),
      ...(!attempt.again && { outfile }),
    });
    const changed = firstDifference(modules, modulesOf(graph, code));
    if (changed === undefined) return ok({ code: outfile, manifests: manifestsIn(graph) });
    // Whatever was remembered of the code may be wrong as well.
    await forgetModules(attempt.store, entry);
    return err({ kind: 'source-changed', path: pathOf(changed, entry) });
  } catch (error) {
    // It compiled when the run was prepared.
    if (error instanceof Error && 'errors' in error) return err({ kind: 'source-changed', path: entry });
    throw error;
  }
}

const manifestsIn = ({ tree }: { readonly tree: { readonly looked: readonly string[] } }) =>
  tree.looked.filter((path) => existsSync(path));

const firstDifference = (before: ModuleDigests, after: ModuleDigests): string | undefined =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .sort()
    .find((name) => before[name] !== after[name]);

/** The file to name for a part of the key. */
function pathOf(name: string, entry: string): string {
  const [module = ''] = name.split(' > ');
  const isFile = name !== 'ports' && !name.startsWith('npm:');
  return isFile ? resolve(dirname(entry), module) : entry;
}
