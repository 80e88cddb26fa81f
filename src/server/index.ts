export type { ChatAnswer, ChatRequest, ChatSettings } from './chat-process.ts';
export { type RunningServer, type ServerOptions, startServer } from './serve.ts';
