import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { makeFolders } from '../../core/index.ts';
import { StatCache } from './stat-cache.ts';

/** Holds artifacts, records and runs. Its folder is created by the first run. */
export interface Store {
  /** Absolute. */
  readonly root: string;
  readonly statCache: StatCache;
}

/** Opens the store at an absolute path; writes nothing. */
export function openStore(root: string): Store {
  return { root, statCache: StatCache.open(root) };
}

/** Creates the store's folder if needed, with a .gitignore for all of its content. */
export async function createStore({ root }: Store): Promise<void> {
  if (existsSync(root)) return;
  await makeFolders(root);
  try {
    await writeFile(join(root, '.gitignore'), '*\n');
  } catch (error) {
    // The next run must find no store or a complete one.
    await rm(root, { recursive: true });
    throw error;
  }
}

/**
 * The store's absolute path: the one that `--store` or else `TUNELOOM_STORE` names, else `artifacts/` beside the nearest
 * package.json or .git above the pipeline (above node_modules if the pipeline is inside), else beside the pipeline.
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
  // The next installation replaces a package in node_modules, so results go to the project that installed it.
  const [project = beside] = beside.split(`${sep}node_modules${sep}`);
  return join(projectAbove(project) ?? beside, 'artifacts');
}

function projectAbove(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json')) || existsSync(join(folder, '.git'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : projectAbove(parent);
}
