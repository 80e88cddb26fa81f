import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { err, isList, isObject, type Json, ok, type Result, UserError } from '../../core/index.ts';
import {
  attemptFiles,
  type Digest,
  digestOf,
  digestsAt,
  type Executor,
  failureOf,
  type Job,
  type JobFailure,
  type PortContent,
  portableAction,
  readJobFile,
  type StageReport,
  type SubmittedJob,
  sha256,
  withAddresses,
  writeJobFile,
} from '../../runtime/index.ts';
import { watchJob } from '../job/watch-job.ts';
import type { SlurmOptions } from '../slurm/slurm-launcher.ts';
import { type ConnectionOptions, WorkerConnection } from './connection.ts';
import { type RemoteJob, remoteJob } from './remote-site.ts';
import { BlobTransfer } from './transfer.ts';
import { stageApiMark } from './worker.ts';

/** The errors after which a job may go on. */
const mayGoOn = new Set(['host-unreachable']);

/**
 * Runs actions on another machine's installation, in its own store: sends what that lacks by digest, starts processes or
 * jobs of Slurm there, and fetches what they make by digest.
 */
export function openRemoteExecutor({
  name,
  slurm,
  jobs,
  stageApi,
  ...options
}: ConnectionOptions & {
  readonly name: string;
  /** Its jobs are Slurm's; otherwise processes of that machine. */
  readonly slurm: SlurmOptions | undefined;
  readonly jobs: number | undefined;
  /** The module that users' stages import here. */
  readonly stageApi: string;
}): Executor {
  const connection = new WorkerConnection(options);
  const transfer = new BlobTransfer(connection);
  const most = jobs ?? (slurm === undefined ? 1 : undefined);
  return {
    name,
    limits: most === undefined ? {} : { jobs: most },
    reads: 'digests',
    submit: async (job, signal): Promise<Result<SubmittedJob, JobFailure>> => {
      const remote = remoteJob(job, { connection, slurm });
      return ok(
        new RemoteSubmission(job, {
          ...{ name, connection, transfer, remote, signal, stageApi },
          pollMs: slurm?.pollMs ?? 2000,
        }),
      );
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

interface Surroundings {
  readonly name: string;
  readonly connection: WorkerConnection;
  readonly transfer: BlobTransfer;
  readonly remote: RemoteJob;
  readonly signal: AbortSignal;
  readonly stageApi: string;
  readonly pollMs: number;
}

class RemoteSubmission implements SubmittedJob {
  readonly #job: Job;
  readonly #with: Surroundings;
  readonly #canceling = new AbortController();
  /** Whether an earlier process may have submitted it. */
  readonly #again: boolean;

  constructor(job: Job, surroundings: Surroundings) {
    this.#job = job;
    this.#with = surroundings;
    this.#again = readJobFile(job.folder) !== undefined;
  }

  cancel(): void {
    this.#canceling.abort();
    this.#with.connection.leave();
  }

  async watch(report: (report: StageReport) => void): ReturnType<SubmittedJob['watch']> {
    const { connection, remote, pollMs } = this.#with;
    const { folder, graceMilliseconds } = this.#job;
    const forget = connection.onChange((message) => report({ type: 'note', level: 'info', message }));
    try {
      const { place, paths } = await this.#submit(report);
      const addresses = this.#addresses(paths);
      const end = await watchJob({
        ...{ site: remote, folder, place, pollMs, graceMilliseconds, canceled: this.#canceling.signal },
        report: (found) => report(withLocalPaths(found, addresses)),
        restart: async () => (await remote.restart()).place,
      });
      await this.#takeLog().catch(() => {});
      if (end.ok) return end;
      if (!end.error.mayRun) await remote.end({ succeeded: false });
      return err({ ...end.error, failure: withAddresses(end.error.failure, addresses) });
    } catch (error) {
      const failure = this.#failure(error);
      if (connection.wasOpen && !failure.mayRun) await remote.end({ succeeded: false }).catch(() => {});
      return err(failure);
    } finally {
      forget();
    }
  }

  /** Sends what is missing there, and starts the job unless an earlier process did. */
  async #submit(report: (report: StageReport) => void): ReturnType<RemoteJob['submit']> {
    const { name, transfer, remote, connection, stageApi } = this.#with;
    const { action, contents, store, folder } = this.#job;
    const texts = new Map<Digest, string>();
    let code: Digest | undefined;
    if (action.code !== undefined) {
      const text = (await readFile(action.code, 'utf8')).replaceAll(
        pathToFileURL(stageApi).href,
        stageApiMark,
      );
      code = digestOf('file', sha256(text));
      texts.set(code, text);
    }
    const portable = portableAction(this.#job, code);
    // Before a job that may be there already is looked for, nothing has to be sent.
    const isKnown = readJobFile(folder)?.id !== undefined;
    const { signal } = this.#canceling;
    if (!isKnown) await transfer.send(contents, { store, texts, signal, report });
    signal.throwIfAborted();
    const place = `its job on ${connection.host}`;
    await writeJobFile({ folder, root: store.root }, { executor: name, place });
    const submitted = await remote.submit(portable);
    await writeJobFile(
      { folder, root: store.root },
      { executor: name, place: submitted.place, id: this.#job.name },
    );
    return submitted;
  }

  async collect(signal: AbortSignal): Promise<Result<Readonly<Record<string, PortContent>>, JobFailure>> {
    const { remote, transfer } = this.#with;
    const { store } = this.#job;
    try {
      const collected = await remote.collect();
      if ('failure' in collected) return err({ failure: collected.failure });
      for (const content of Object.values(collected.outputs))
        for (const { digest } of digestsAt(content))
          await transfer.fetch(digest, { store, signal, report: () => {} });
      await remote.end({ succeeded: true });
      return ok(collected.outputs);
    } catch (error) {
      return err(this.#failure(error));
    }
  }

  #failure(error: unknown): JobFailure {
    const { connection } = this.#with;
    const isSubmitted = readJobFile(this.#job.folder) !== undefined;
    const mayRun = (this.#again || connection.wasOpen) && isSubmitted;
    // What is interrupted between its end and the arrival of its outputs is there for the next run.
    if (this.#with.signal.aborted) return { failure: { kind: 'interrupted' }, ...(mayRun && { mayRun }) };
    const failure = failureOf(error, never);
    const isLost = error instanceof UserError && mayGoOn.has(error.code);
    return { failure, ...(isLost && mayRun && { mayRun }) };
  }

  /** The log there becomes the log here. */
  async #takeLog(): Promise<void> {
    const path = join(this.#job.folder, attemptFiles.log);
    for (let offset = 0; ; ) {
      const piece = await this.#with.remote.read(this.#job.folder, 'log', { offset, waitMs: 0 });
      if (piece.length === 0 || offset > mostLogBytes) return;
      await appendFile(path, piece);
      offset += piece.length;
    }
  }

  /** The paths of sources there -> those here. */
  #addresses(paths: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    return new Map(
      [...paths].flatMap(([pointer, path]) => {
        const here = valueAt(this.#job.action.config, pointer);
        return typeof here === 'string' ? [[path, here] as const] : [];
      }),
    );
  }
}

const never = new AbortController().signal;
const mostLogBytes = 64 << 20;

/** The value at a JSON pointer. */
function valueAt(value: Json, pointer: string): Json | undefined {
  let found: Json | undefined = value;
  for (const token of pointer.split('/').slice(1)) {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    if (isList(found)) found = found[Number(name)];
    else found = isObject(found) ? found[name] : undefined;
  }
  return found;
}

/** A note with the paths of this machine in place of those of the other. */
function withLocalPaths(report: StageReport, addresses: ReadonlyMap<string, string>): StageReport {
  if (report.type !== 'note' || addresses.size === 0) return report;
  const message = [...addresses].reduce((text, [path, here]) => text.replaceAll(path, here), report.message);
  return { ...report, message };
}
