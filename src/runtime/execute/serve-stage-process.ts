import type { StageRegistry } from '../stage/stage-definition.ts';

/** The whole of a stage process: runs the action file named by its first argument, and ends. */
export async function serveStageProcess(registry: StageRegistry): Promise<void> {
  throw new Error(`not there yet: ${registry.size}`);
}
