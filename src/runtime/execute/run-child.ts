import { copyFile, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Failure } from '../stage/run-event.ts';
import type { StageAction } from '../stage/stage-action.ts';
import type { StageDefinition, StageReport } from '../stage/stage-definition.ts';
import { attemptFiles } from './attempt.ts';
import { runAction } from './run-action.ts';
import type { SharedProcesses } from './shared-processes.ts';
import type { LastWord, Measurements, StopMessage } from './stage-message.ts';
import { deathOfProcess, startStageProcess } from './start-stage-process.ts';

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

/** Runs an action in this process: for stages that are too short to be worth another. */
export async function runInline(execution: StageExecution): Promise<Result<Measurements, Failure>> {
  const { definition, action, report } = execution;
  const asked = new AbortController();
  let leave = (): void => {};
  // What does not end when asked is no longer waited for: nothing else can be done to it here.
  const abandoned = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
  });
  using stopping = stopWhenAsked({ ...execution, ask: () => asked.abort(), force: leave });
  const work = runAction({ definition, action }, { signal: asked.signal, report });
  const result = await Promise.race([work, abandoned]);
  if (result?.ok) return result;
  return err(stopping.cause() ?? result?.error ?? { kind: 'interrupted' });
}

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

/** One attempt at a stage, wherever it runs. */
interface StageExecution {
  readonly definition: StageDefinition;
  readonly action: StageAction;
  /** The attempt's own folder in the store. */
  readonly folder: string;
  /** The JavaScript file that `child` stages run in. */
  readonly stageProcess: string;
  /** What `shared` stages run in. */
  readonly processes: SharedProcesses;
  readonly timeoutMs: number | undefined;
  readonly graceMilliseconds: number;
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}

interface Stop {
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly graceMilliseconds: number;
  /** Asks the stage to end. */
  readonly ask: () => void;
  /** Makes an end of it: it had its grace time. */
  readonly force: () => void;
}

/** Watches over a stage at work, until disposed: asks it to stop at an interruption or when its time is over. */
function stopWhenAsked({ signal, timeoutMs, graceMilliseconds, ask, force }: Stop): Disposable & {
  /** Why it was asked to stop, if it was. */
  readonly cause: () => Failure | undefined;
} {
  let cause: Failure | undefined;
  const timers: NodeJS.Timeout[] = [];
  const stop = (why: Failure): void => {
    if (cause !== undefined) return;
    cause = why;
    timers.push(setTimeout(force, graceMilliseconds));
    ask();
  };
  const interrupt = (): void => stop({ kind: 'interrupted' });
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt);
  if (timeoutMs !== undefined) {
    timers.push(setTimeout(() => stop({ kind: 'timeout', milliseconds: timeoutMs }), timeoutMs));
  }
  return {
    cause: () => cause,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', interrupt);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
