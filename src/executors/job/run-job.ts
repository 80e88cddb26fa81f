import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type ActionPort,
  attemptFiles,
  failureOf,
  type Job,
  machineFingerprint,
  openLocalExecutor,
  openStore,
  runJob as runLocally,
  type StageDefinition,
  type StageRegistry,
  type StageReport,
} from '../../runtime/index.ts';
import { JobEvents } from './job-events.ts';
import { type JobRequest, readRequest } from './job-request.ts';

/** How often progress is written: a file of events is kept as long as its job. */
const millisecondsBetween = 500;

/**
 * The whole of a job's process: runs the action that its folder requests, as on any machine, and writes what it reports and
 * how it ends to the folder. SIGTERM and SIGUSR1 make it stop and keep its state. A job that starts again begins with empty
 * outputs and the state of before.
 */
export async function runJobFolder(
  folder: string,
  { registry, stageProcess }: { readonly registry: StageRegistry; readonly stageProcess: string },
): Promise<void> {
  using events = new JobEvents(join(folder, attemptFiles.events));
  const stopping = new AbortController();
  let because: 'signal' | 'time' | undefined;
  const stop = (why: 'signal' | 'time') => () => {
    because ??= why;
    stopping.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop('signal'));
  process.on('SIGUSR1', stop('time'));
  process.on('SIGHUP', () => {});
  events.write({ type: 'began', host: hostname(), machine: machineFingerprint() });
  const progress = lessOften((report) => events.write({ type: 'report', report }));
  try {
    const request = await readRequest(folder);
    await emptyOutputs(request.action.outputs, join(folder, attemptFiles.outputs));
    await using local = openLocalExecutor({ stageProcess });
    const end = await runLocally(local, jobOf(request, { folder, registry }), {
      signal: stopping.signal,
      report: progress.report,
    });
    progress.flush();
    if (end.ok) events.write({ type: 'finished', measurements: end.value.measurements });
    else if (because !== undefined) events.write({ type: 'stopped', because });
    else events.write({ type: 'failed', failure: end.error.failure });
  } catch (error) {
    events.write({ type: 'failed', failure: failureOf(error, stopping.signal) });
  }
  // A scheduler must not take a job that was stopped for one that is done.
  process.exitCode = because === undefined ? 0 : 143;
}

function jobOf(
  { action, process, timeoutMs, graceMilliseconds, environment }: JobRequest,
  { folder, registry }: { readonly folder: string; readonly registry: StageRegistry },
): Job {
  const known = action.code === undefined ? registry.get(action.uses) : undefined;
  if (action.code === undefined && known?.version !== action.version)
    throw new Error(`this installation has another version of the stage ${action.uses}`);
  const definition: Pick<StageDefinition, 'process' | 'environment'> = {
    process,
    environment: () => environment,
  };
  return {
    definition: { ...(known ?? ownStage(action.uses)), ...definition },
    action,
    folder,
    store: openStore(dirname(dirname(dirname(folder)))),
    name: '',
    contents: new Map(),
    timeoutMs,
    graceMilliseconds,
  };
}

/** What running a user's stage needs of its definition: its code is in the action. */
const ownStage = (name: string): StageDefinition => ({
  name,
  version: 0,
  schema: {},
  validate: () => true,
  ports: () => ({ inputs: {}, outputs: {} }),
  process: 'child',
  device: 'none',
  load: () => Promise.reject(new Error("a user's stage runs in its own process")),
});

async function emptyOutputs(outputs: Readonly<Record<string, ActionPort>>, folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const port of Object.values(outputs))
    for (const path of 'path' in port ? [port.path] : Object.values(port.parts))
      await mkdir(dirname(path), { recursive: true });
}

/** Passes on notes at once, and progress at most every half second; the last progress is never lost. */
function lessOften(write: (report: StageReport) => void) {
  let last = Number.NEGATIVE_INFINITY;
  let held: StageReport | undefined;
  const flush = (): void => {
    if (held !== undefined) write(held);
    held = undefined;
  };
  return {
    flush,
    report: (report: StageReport): void => {
      if (report.type === 'note') {
        flush();
        write(report);
        return;
      }
      held = report;
      if (performance.now() - last < millisecondsBetween) return;
      last = performance.now();
      flush();
    },
  };
}
