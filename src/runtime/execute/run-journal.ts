import { utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Dag } from '../graph/dag.ts';
import { sha256 } from '../key/digest.ts';
import { machineFingerprint } from '../store/action-records.ts';
import { isOnThisHost, mayBeAlive, thisProcess } from '../store/process-identity.ts';
import { type RunOutcome, type RunRecord, readRun, recordedPath, writeRun } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import { runPath } from '../store/store-layout.ts';
import { isReadOnly, storageFailureOf } from '../store/system-error.ts';
import type { StageOutcomes } from './skipped-stages.ts';

/** The record of a run that is under way. */
interface RunJournal {
  readonly run: string;
  readonly startedAt: Date;
  /** Why the run has no record, as a sentence without its full stop. */
  readonly problem?: string;
  /** Records the end; returns the run's duration in milliseconds. */
  readonly end: (result: { readonly outcome: RunOutcome; readonly stages: StageOutcomes }) => Promise<number>;
}

async function beginJournal(
  store: Store,
  begun: {
    readonly run: string;
    readonly startedAt: Date;
    readonly dag: Dag;
    readonly targets: readonly string[];
    readonly unlisted: boolean;
  },
): Promise<RunJournal> {
  const { run, startedAt, dag, targets, unlisted } = begun;
  const clock = performance.now();
  const record: RunRecord = {
    format: 1,
    run,
    pipeline: dag.name,
    project: sha256(`${hostname()} ${dirname(dag.file)}`).slice(0, 16),
    file: recordedPath(store, dag.file),
    params: dag.params,
    overridden: dag.overridden,
    ...(unlisted && { unlisted }),
    ...(dag.points && {
      points: dag.points.map(({ label, params, stages }) => ({
        label,
        params,
        stages: Object.fromEntries(stages),
      })),
    }),
    targets,
    startedAt: startedAt.toISOString(),
    milliseconds: 0,
    outcome: 'running',
    process: thisProcess(),
    fingerprint: machineFingerprint(),
    stages: {},
  };
  await writeRun(store, record);
  const beat = keepAlive(store, run);
  return {
    run,
    startedAt,
    async end({ outcome, stages }) {
      const milliseconds = Math.round(performance.now() - clock);
      clearInterval(beat);
      try {
        await writeRun(store, { ...record, milliseconds, outcome, stages: Object.fromEntries(stages) });
      } catch (error) {
        // The results are in the store, even if there is no room to record the end of the run.
        if (storageFailureOf(error) === undefined) throw error;
      }
      return milliseconds;
    },
  };
}

/** As beginJournal; in a read-only store the run continues without a record: it may find everything there. */
export async function beginJournalIfWritable(
  store: Store,
  begun: Parameters<typeof beginJournal>[1],
): Promise<RunJournal> {
  const clock = performance.now();
  try {
    return await beginJournal(store, begun);
  } catch (error) {
    const failure = storageFailureOf(error);
    if (failure === undefined || !isReadOnly(failure)) throw error;
    const problem = `the store ${store.root} can only be read, so this run is not on record`;
    const { run, startedAt } = begun;
    return { run, startedAt, problem, end: async () => Math.round(performance.now() - clock) };
  }
}

const beatMilliseconds = 60_000;

/** Other hosts cannot see this process: the record's modification time tells them that it is alive. */
function keepAlive({ root }: Store, run: string): NodeJS.Timeout {
  const path = join(root, runPath(run));
  const beat = setInterval(() => utimes(path, new Date(), new Date()).catch(() => {}), beatMilliseconds);
  return beat.unref();
}

/** `asked`: the run's process has the signal and ends its stages, which keep what they need to resume. */
export type StopAnswer = 'asked' | 'not-running' | 'on-another-host';

/** Asks a run of another process to stop, as Ctrl-C in its terminal does. */
export function stopRun(store: Store, run: string): StopAnswer {
  const record = readRun(store, run);
  if (record?.outcome !== 'running') return 'not-running';
  if (!isOnThisHost(record.process)) return 'on-another-host';
  if (!mayBeAlive(record.process)) return 'not-running';
  try {
    process.kill(record.process.pid, 'SIGINT');
    return 'asked';
  } catch {
    return 'not-running';
  }
}
