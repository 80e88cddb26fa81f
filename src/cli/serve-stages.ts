import { serveStageProcess } from '../runtime/index.ts';
import { stageRegistry } from '../stages/index.ts';

/** Runs the stages that the parent process sends. */
export const serve = (): void => serveStageProcess(stageRegistry);
