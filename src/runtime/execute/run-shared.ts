import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../event/failure.ts';
import { err, ok, type Result } from '../result.ts';
import { attemptFiles } from './attempt.ts';
import { deathOfProcess } from './death-of-process.ts';
import type { StageExecution } from './stage-execution.ts';
import type { Measurements } from './stage-message.ts';
import { stopWhenAsked } from './stop-when-asked.ts';

/** Runs an action in a process that other actions had before it, and have after it unless this one fails. */
export async function runShared(execution: StageExecution): Promise<Result<Measurements, Failure>> {
  const { definition, action, folder, processes } = execution;
  const actionFile = join(folder, attemptFiles.action);
  await writeFile(actionFile, JSON.stringify(action, null, 1));
  const environment = definition.environment?.(action.config) ?? [];
  const shared = await processes.take({ environment, memory: action.resources.memory });
  using stopping = stopWhenAsked({ ...execution, ask: shared.stop, force: shared.kill });
  const end = await shared.run(actionFile, execution.report);
  if (end.type === 'finished') {
    processes.giveBack(shared);
    return ok(end.measurements);
  }
  const logPath = join(folder, attemptFiles.log);
  await copyFile(shared.logPath, logPath);
  shared.letGo();
  const asked = stopping.cause();
  if (asked !== undefined) return err(asked);
  return err(end.type === 'failed' ? end.failure : await deathOfProcess(end.how, logPath));
}
