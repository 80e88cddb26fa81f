import { runJobFolder } from '../executors/index.ts';
import { stageRegistry } from '../stages/index.ts';

/** Runs the job of a folder. `stageProcess`: the JavaScript file of the process that its stage runs in. */
export const serveJob = (folder: string, stageProcess: string): Promise<void> =>
  runJobFolder(folder, { registry: stageRegistry, stageProcess });
