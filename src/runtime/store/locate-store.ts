import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/**
 * The store's absolute path: the one that was asked for (`--store`, then `TUNELOOM_STORE`), else `artifacts/` beside the
 * nearest package.json or .git above the pipeline, else beside the pipeline.
 */
export function locateStore(request: {
  readonly pipelineFile: string;
  readonly workingDirectory: string;
  readonly store?: string | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
}): string {
  const asked = request.store || request.environment?.TUNELOOM_STORE;
  if (asked) return resolve(request.workingDirectory, asked);
  const beside = dirname(resolve(request.workingDirectory, request.pipelineFile));
  return join(projectAbove(beside) ?? beside, 'artifacts');
}

function projectAbove(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json')) || existsSync(join(folder, '.git'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : projectAbove(parent);
}
