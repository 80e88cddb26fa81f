/** The API for users' own stages: `import { implementStage } from 'tuneloom/stage'`. */
export { UserError } from '../core/index.ts';
export { implementStage } from './implement-stage.ts';
export type { StageRun } from './ports/open-ports.ts';
export type { PortReaders, PortWriters } from './ports/port-contents.ts';
