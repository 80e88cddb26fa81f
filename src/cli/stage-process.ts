import { serveStageProcess } from '../runtime/index.ts';
import { stageRegistry } from '../stages/registry.ts';

await serveStageProcess(stageRegistry);
