export { runJobFolder } from './job/run-job.ts';
export { openExecutor } from './open-executor.ts';
