/** What a stage of the user's own is written against: `import { implementStage } from 'tuneloom/stage'`. */
export { UserError } from '../user-error.ts';
export { implementStage } from './implement-stage.ts';
export type { PortReaders, PortWriters } from './ports/port-contents.ts';
export type { StageRun } from './stage-run.ts';
