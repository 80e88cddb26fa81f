import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { BuildFailure, Message } from 'esbuild';
import { err, ok, type Result } from '../../core/index.ts';
import { type Diagnostic, lowerFirst, type Span } from '../diagnostic/diagnostic.ts';
import type { TextFile } from '../diagnostic/text-file.ts';
import { displayPathOf } from '../yaml/document-reader.ts';
import { bundleStage } from './bundle-stage.ts';
import type { ModuleGraph } from './module-graph.ts';

/**
 * Every module that a stage's code imports, or why there are none: a missing module, code that does not compile, a stage
 * that does not export `run`. Runs none of the code. `usedAt` is where the pipeline names the stage.
 */
export async function findModules(
  entry: string,
  usedAt: Span,
): Promise<Result<ModuleGraph, readonly Diagnostic[]>> {
  try {
    const { graph, exports } = await bundleStage({ entry, stageApi: '/tuneloom/stage.js' });
    return exports.includes('run') ? ok(graph) : err([exportsNoRun(entry, usedAt)]);
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    return err(await describeBuildErrors(error.errors, { entry, usedAt }));
  }
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && 'errors' in error && Array.isArray(error.errors);

const exportsNoRun = (entry: string, usedAt: Span): Diagnostic => ({
  code: 'no-run',
  message: `\`${entry}\` exports no \`run\``,
  span: usedAt,
  help: 'end it with `export const { run } = implementStage()({ ... })`, which `tuneloom/stage` exports',
});

/** The bundler's errors at their places in the user's code, each with the place in the pipeline that names the stage. */
async function describeBuildErrors(
  errors: readonly Message[],
  { entry, usedAt }: { readonly entry: string; readonly usedAt: Span },
): Promise<readonly Diagnostic[]> {
  return Promise.all(
    errors.map(async ({ text, location }): Promise<Diagnostic> => {
      const message = `the stage does not compile: ${lowerFirst(text)}`;
      if (location === null) return { code: 'broken-code', message, span: usedAt };
      const file = await readModule(resolve(dirname(entry), location.file), usedAt);
      const start = offsetOf(file.text, location);
      const span = { file, start, end: start + Math.max(1, location.length) };
      const related = { kind: 'own-stage' as const, span: usedAt };
      const help = location.suggestion === '' ? {} : { help: `did you mean \`${location.suggestion}\`?` };
      return { code: 'broken-code', message, span, related, ...help };
    }),
  );
}

/** Lines count from 1, columns from 0 and in bytes. */
function offsetOf(
  text: string,
  { line, column }: { readonly line: number; readonly column: number },
): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((length, each) => length + each.length + 1, 0);
  return (
    before +
    Buffer.from(lines[line - 1] ?? '')
      .subarray(0, column)
      .toString().length
  );
}

/** The current text of a user's module, empty if it cannot be read. The span is where the pipeline names the stage. */
export async function readModule(path: string, { file }: Span): Promise<TextFile> {
  const text = await readFile(path, 'utf8').catch(() => '');
  // Shown relative to the same folder as the pipeline's own path.
  const shownFrom = file.path.endsWith(file.displayPath)
    ? file.path.slice(0, file.path.length - file.displayPath.length)
    : process.cwd();
  return { path, displayPath: displayPathOf(path, shownFrom), text };
}
