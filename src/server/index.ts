export type { LiveEvent, RunRecord } from '../runtime/index.ts';
export type { ResponseRecord } from '../text/index.ts';
export type { ChatAnswer, ChatRequest, ChatSettings } from './chat-process.ts';
export { listen } from './listen.ts';
export type { Drawing } from './plots.ts';
export type { PipelineSummary } from './project.ts';
export type { RunOutput } from './run-outputs.ts';
export type { RunRow, RunTable } from './run-table.ts';
export { type RunningServer, type ServerOptions, startServer } from './serve.ts';
