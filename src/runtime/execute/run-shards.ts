import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '../../core/index.ts';
import type { Failure } from '../stage/run-event.ts';
import type { ActionPort, StageAction } from '../stage/stage-action.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import { sealJson } from '../store/sealed-json.ts';
import { writeAtomically } from '../store/store-file.ts';
import { attemptFiles, pathSegment } from '../store/store-layout.ts';
import { ingestOutputs } from './commit-result.ts';
import {
  type Executor,
  type Job,
  type JobEnd,
  type JobFailure,
  runJob,
  type SubmittedJob,
} from './executor/executor.ts';
import { writeJobFile } from './executor/job-file.ts';
import { mergeReports } from './merge-reports.ts';
import { type DoneShare, doneFile, joinOutputs, keptShare, measured } from './share-results.ts';

type Ended = Result<JobEnd & Pick<SubmittedJob, 'collect'>, JobFailure>;

interface Sharing {
  /** How many jobs share the work. Jobs that an earlier process left to be taken up keep their number. */
  readonly shards: number;
  readonly signal: AbortSignal;
  readonly report: (report: StageReport) => void;
}

/**
 * Runs a job as several that share its work, and joins what they write. A share that has ended is kept with the resume
 * state, so that after a failure, a kill or an interruption only the others run again.
 */
export async function runShards(executor: Executor, job: Job, sharing: Sharing): Promise<Ended> {
  const { definition, action, folder, store } = job;
  const { signal } = sharing;
  const { join: joinParts } = definition.shards ?? {};
  if (joinParts === undefined) throw new Error(`${definition.name} cannot divide its work`);
  const shards = await rememberCount(job, { executor, shards: sharing.shards });
  const reports = mergeReports(shards, sharing.report);
  const open = Array.from({ length: shards }, (_, index) => index);
  const done: (DoneShare | undefined)[] = open.map(() => undefined);
  const failures: { readonly index: number; readonly error: JobFailure }[] = [];
  const work = async (): Promise<void> => {
    for (let index = open.shift(); index !== undefined && !signal.aborted; index = open.shift()) {
      const share = await runShare(executor, job, { index, of: shards, signal, report: reports.of(index) });
      if (share.ok) done[index] = share.value;
      else failures.push({ index, error: share.error });
      // What the user has to fix is the same in the others; what was killed is not.
      if (!share.ok && share.error.failure.kind === 'stage-error') open.length = 0;
    }
  };
  await Promise.all(Array.from({ length: roomFor(executor, job, shards) }, work));
  const [first] = failures.sort((a, b) => a.index - b.index);
  if (first !== undefined) return err(await describeLoss(first, { job, shards, failures: failures.length }));
  const all = done.filter((share) => share !== undefined);
  if (all.length < shards) return err({ failure: { kind: 'interrupted' } });
  await joinOutputs(action.outputs, { parts: all.map(({ outputs }) => outputs), store, joinParts });
  await rm(join(folder, attemptFiles.job), { force: true });
  const { measurements, machine } = measured(all, sharing.report);
  return ok({
    measurements: { shards, ...measurements },
    ...(machine !== undefined && { machine }),
    collect: async () => {
      const outputs = await ingestOutputs(store, action.outputs);
      return outputs.ok ? outputs : err({ failure: outputs.error });
    },
  });
}

/** How many of a stage's jobs its executor takes at a time. */
function roomFor({ limits }: Executor, { definition }: Job, shards: number): number {
  const { jobs = shards, accelerators = shards } = limits;
  return Math.max(1, Math.min(shards, jobs, definition.device === 'accelerator' ? accelerators : shards));
}

/** From the attempt's state, which later attempts take over. */
const countFile = 'shards.json';

/**
 * The number of shares. With jobs that outlive this process, the attempt's folder is marked, so that a later run finds them
 * again and joins as many as were submitted.
 */
async function rememberCount(
  { folder, store }: Job,
  { executor, shards }: { readonly executor: Executor; readonly shards: number },
): Promise<number> {
  if (executor.name === 'local') return shards;
  const path = join(folder, attemptFiles.shards, countFile);
  const before = Number(await readFile(path, 'utf8').catch(() => ''));
  const count = Number.isSafeInteger(before) && before > 0 ? before : shards;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, String(count));
  const place = `${count} jobs on ${executor.name}`;
  await writeJobFile({ folder, root: store.root }, { executor: executor.name, place });
  return count;
}

async function runShare(
  executor: Executor,
  job: Job,
  { index, of, signal, report }: Omit<Sharing, 'shards'> & { readonly index: number; readonly of: number },
): Promise<Result<DoneShare, JobFailure>> {
  const { store, action } = job;
  const state = join(action.statePath, `share-${index + 1}-of-${of}`);
  const kept = await keptShare(store, state);
  if (kept !== undefined) return ok(kept);
  const folder = join(job.folder, attemptFiles.shards, String(index));
  const outputs = await portsIn(join(folder, attemptFiles.outputs), action.outputs);
  await mkdir(state, { recursive: true });
  const shared: StageAction = { ...action, share: { index, of }, outputs, statePath: state };
  const name = `${job.name}-${index + 1}of${of}`;
  const end = await runJob(executor, { ...job, action: shared, folder, name }, { signal, report });
  if (!end.ok) return end;
  const collected = await end.value.collect(signal);
  if (!collected.ok) return collected;
  const { measurements, machine } = end.value;
  const done: DoneShare = {
    outputs: collected.value,
    measurements,
    ...(machine !== undefined && { machine }),
  };
  const content = sealJson(JSON.stringify(done));
  await writeAtomically({ root: store.root, path: join(state, doneFile), content, durable: true });
  return ok(done);
}

/** A share's own places for the same outputs. */
async function portsIn(folder: string, ports: StageAction['outputs']): Promise<StageAction['outputs']> {
  await mkdir(folder, { recursive: true });
  const places: [string, ActionPort][] = [];
  for (const [port, at] of Object.entries(ports)) {
    const path = join(folder, port);
    if ('parts' in at) await mkdir(path, { recursive: true });
    const partAt = (part: string): [string, string] => [part, join(path, pathSegment(part))];
    places.push([
      port,
      'path' in at ? { path } : { parts: Object.fromEntries(Object.keys(at.parts).map(partAt)) },
    ]);
  }
  return Object.fromEntries(places);
}

/** Says which share failed, and keeps its log with the stage's. */
async function describeLoss(
  { index, error }: { readonly index: number; readonly error: JobFailure },
  { job, shards, failures }: { readonly job: Job; readonly shards: number; readonly failures: number },
): Promise<JobFailure> {
  const shown = `shard ${index + 1} of ${shards}`;
  const log = await readFile(
    join(job.folder, attemptFiles.shards, String(index), attemptFiles.log),
    'utf8',
  ).catch(() => '');
  if (log.trim() !== '') await appendFile(join(job.folder, attemptFiles.log), `${shown}:\n${log}`);
  const others = failures === 1 ? '' : ` (${failures - 1} more failed)`;
  const { failure } = error;
  return { ...error, failure: withPlace(failure, `${shown}${others}`) };
}

const withPlace = (failure: Failure, place: string): Failure =>
  'message' in failure ? { ...failure, message: `${place}: ${failure.message}` } : failure;
