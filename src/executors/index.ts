export { runJobFolder } from './job/run-job.ts';
export { openExecutor } from './open-executor.ts';
export { serveWorker } from './ssh/worker.ts';
