import { dirname, resolve } from 'node:path';
import type { BuildFailure, Metafile } from 'esbuild';
import type { Diagnostic, Span } from '../diagnostic/diagnostic.ts';
import { err, ok } from '../result.ts';
import { bundleOptions } from './bundle-options.ts';
import { describeBuildErrors } from './describe-build-errors.ts';
import type { FoundModules, UsedPackage } from './module-graph.ts';

/**
 * Every module that a stage's code imports, or why there is no such code: a module that is not there, a text that does
 * not compile, a module that does not export `run`. Runs nothing of it. `usedAt` is where the pipeline names the stage.
 */
export async function findModules(entry: string, usedAt: Span): Promise<FoundModules> {
  const packages = new Map<string, UsedPackage>();
  const { build } = await import('esbuild');
  try {
    const { metafile } = await build({
      ...bundleOptions({
        entry,
        stageApi: '/tuneloom/stage.js',
        onPackage: (used) => packages.set(used.manifest, used),
      }),
      write: false,
    });
    const folder = dirname(entry);
    const files = Object.keys(metafile.inputs).map((path) => resolve(folder, path));
    if (!exportsOf(metafile).includes('run')) return err([exportsNoRun(entry, usedAt)]);
    return ok({ files: files.sort(), packages: [...packages.values()] });
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return err(await describeBuildErrors(error.errors, { entry, usedAt }));
  }
}

const exportsOf = ({ outputs }: Metafile): readonly string[] =>
  Object.values(outputs).flatMap(({ exports }) => exports);

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

const exportsNoRun = (entry: string, usedAt: Span): Diagnostic => ({
  code: 'no-run',
  message: `\`${entry}\` exports no \`run\``,
  span: usedAt,
  help: 'end it with `export const { run } = implementStage()({ ... })`, which `tuneloom/stage` exports',
});
