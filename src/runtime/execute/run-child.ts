import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failure } from '../event/failure.ts';
import { err, ok, type Result } from '../result.ts';
import type { StageAction } from '../stage/stage-action.ts';
import { attemptFiles } from './attempt.ts';
import { deathOfProcess } from './death-of-process.ts';
import type { StageExecution } from './stage-execution.ts';
import type { LastWord, Measurements, StopMessage } from './stage-message.ts';
import { startStageProcess } from './start-stage-process.ts';
import { stopWhenAsked } from './stop-when-asked.ts';

/** Runs an action in a process of its own, so that its memory goes back to the system and its death is a failure. */
export async function runChild(execution: StageExecution): Promise<Result<Measurements, Failure>> {
  const actionFile = join(execution.folder, attemptFiles.action);
  const logPath = join(execution.folder, attemptFiles.log);
  const { definition, action } = execution;
  const environment = definition.environment?.(action.config) ?? [];
  await writeFile(actionFile, JSON.stringify({ ...action, environment } satisfies StageAction, null, 1));
  await using log = await open(logPath, 'a');
  let lastWord: LastWord | undefined;
  const { child } = await startStageProcess({
    program: execution.stageProcess,
    args: [actionFile],
    environment,
    memory: action.resources.memory,
    nodeOptions: action.code === undefined ? [] : ['--enable-source-maps'],
    log,
    onMessage: (message) => {
      if (message.type === 'report') execution.report(message.report);
      else lastWord = message;
    },
  });
  const stop: StopMessage = { type: 'stop' };
  using stopping = stopWhenAsked({
    ...execution,
    // A process that is gone already cannot be told anything, and needs no telling.
    ask: () => child.connected && child.send(stop, () => {}),
    force: () => child.kill('SIGKILL'),
  });
  const end = await child;
  if (lastWord?.type === 'finished') return ok(lastWord.measurements);
  const asked = stopping.cause();
  if (asked !== undefined) return err(asked);
  return err(lastWord?.failure ?? (await deathOfProcess(end, logPath)));
}
