import { serveStageProcess } from '../../../src/runtime/execute/serve-stage-process.ts';
import { tinyRegistry } from './tiny-stages.ts';

serveStageProcess(tinyRegistry);
