import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { err, ok, type Result } from '../../../core/index.ts';
import type { Failure } from '../../stage/run-event.ts';
import type { StageAction } from '../../stage/stage-action.ts';
import type { StageReport } from '../../stage/stage-definition.ts';
import { attemptFiles } from '../../store/store-layout.ts';
import { ingestOutputs } from '../commit-result.ts';
import { runAction } from '../run-action.ts';
import type { Measurements } from '../stage-message.ts';
import { type StageProcess, StageProcesses } from '../stage-process.ts';
import type { Executor, Job, JobFailure, SubmittedJob } from './executor.ts';

/**
 * Runs actions on this machine, in this process or in another, as their stages declare. Each stops at an interruption or a
 * timeout. `stageProcess`: the JavaScript file that calls serveStageProcess.
 */
export function openLocalExecutor({ stageProcess }: { readonly stageProcess: string }): Executor {
  const processes = new StageProcesses({ program: stageProcess });
  return {
    name: 'local',
    limits: { jobs: availableParallelism(), accelerators: 1 },
    reads: 'paths',
    submit: async (job) => ok(submitted(job, processes)),
    [Symbol.asyncDispose]: async () => processes[Symbol.dispose](),
  };
}

function submitted(job: Job, processes: StageProcesses): SubmittedJob {
  const canceling = new AbortController();
  return {
    cancel: () => canceling.abort(),
    watch: async (report): Promise<Result<{ readonly measurements: Measurements }, JobFailure>> => {
      const dispatch = { ...job, processes, signal: canceling.signal, report };
      const end = await (job.definition.process === 'inline' ? runInline(dispatch) : runInProcess(dispatch));
      return end.ok ? ok({ measurements: end.value }) : err({ failure: end.error });
    },
    collect: async () => {
      const outputs = await ingestOutputs(job.store, job.action.outputs);
      return outputs.ok ? outputs : err({ failure: outputs.error });
    },
  };
}

interface Dispatch extends Pick<Job, 'definition' | 'action' | 'folder' | 'timeoutMs' | 'graceMilliseconds'> {
  readonly processes: StageProcesses;
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}

/** In another process, whose death is a failure of the stage. A `child` process ends with its action and frees its memory. */
async function runInProcess(dispatch: Dispatch): Promise<Result<Measurements, Failure>> {
  const { definition, action, folder, processes, report } = dispatch;
  const graceMilliseconds = Math.min(
    dispatch.graceMilliseconds,
    definition.graceMilliseconds ?? Number.POSITIVE_INFINITY,
  );
  const actionFile = join(folder, attemptFiles.action);
  const environment = definition.environment?.(action.config) ?? [];
  await writeFile(actionFile, JSON.stringify({ ...action, environment } satisfies StageAction, null, 1));
  const options = {
    environment,
    memory: action.resources.memory,
    servesOnce: definition.process === 'child' || environment.length > 0,
    nodeOptions: action.code === undefined ? [] : ['--enable-source-maps'],
  };
  let running: Pick<StageProcess, 'stop' | 'kill'> | undefined;
  const logPath = join(folder, attemptFiles.log);
  const onStart = (process: StageProcess): void => {
    running = process;
    // The request to stop reaches the process after the action.
    if (stopping.cause() !== undefined) process.stop();
  };
  using stopping = stopOnRequest({
    ...dispatch,
    graceMilliseconds,
    ask: () => running?.stop(),
    force: () => running?.kill(),
  });
  const end = await processes.run(options, { actionFile, logPath, onReport: report, onStart });
  return end.type === 'finished' ? ok(end.measurements) : err(stopping.cause() ?? end.failure);
}

/** In this process, for stages too short to be worth another one. */
async function runInline(dispatch: Dispatch): Promise<Result<Measurements, Failure>> {
  const { definition, action, report } = dispatch;
  const stopped = new AbortController();
  let leave = (): void => {};
  // A stage that ignores the request to stop can only be abandoned, since it shares this process.
  const abandoned = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
  });
  using stopping = stopOnRequest({ ...dispatch, ask: () => stopped.abort(), force: leave });
  const work = runAction({ definition, action }, { signal: stopped.signal, report });
  const result = await Promise.race([work, abandoned]);
  if (result?.ok) return result;
  return err(stopping.cause() ?? result?.error ?? { kind: 'interrupted' });
}

/** In milliseconds; `setTimeout` takes a longer time for 1 ms. */
const longestTimer = 2 ** 31 - 1;

/** Until disposed, asks a stage to stop at an interruption or after its timeout, and forces it after the grace time. */
function stopOnRequest({
  signal,
  timeoutMs,
  graceMilliseconds,
  ask,
  force,
}: Pick<Dispatch, 'signal' | 'timeoutMs' | 'graceMilliseconds'> & {
  readonly ask: () => void;
  readonly force: () => void;
}): Disposable & {
  /** Why the stage was asked to stop, if it was. */ readonly cause: () => Failure | undefined;
} {
  let cause: Failure | undefined;
  const timers: NodeJS.Timeout[] = [];
  const stop = (why: Failure): void => {
    if (cause !== undefined) return;
    cause = why;
    timers.push(setTimeout(force, graceMilliseconds));
    ask();
  };
  const onTimeout = (): void => stop({ kind: 'timeout', milliseconds: timeoutMs ?? 0 });
  const interrupt = (): void => stop({ kind: 'interrupted' });
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt);
  const wait = (left: number): void => {
    const next = left > longestTimer ? () => wait(left - longestTimer) : onTimeout;
    timers.push(setTimeout(next, Math.min(left, longestTimer)));
  };
  if (timeoutMs !== undefined) wait(timeoutMs);
  return {
    cause: () => cause,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', interrupt);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
