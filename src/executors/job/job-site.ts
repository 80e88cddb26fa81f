import { existsSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  attemptFiles,
  type Failure,
  type JobFile,
  readJobFile,
  type StageResources,
  writeJobFile,
} from '../../runtime/index.ts';
import type { JobRequest } from './job-request.ts';
import type { JobState, Launcher } from './launcher.ts';

/** Where jobs run: a store, and what starts their processes. Every call can be repeated. */
export interface JobSite {
  /** Starts the job, unless it has been started before, and says what it is called. */
  submit(job: SubmittedFolder): Promise<{ readonly place: string }>;
  /** The bytes of a job's file from `offset`; waits up to `waitMs` for some. Empty if there are none. */
  read(
    folder: string,
    file: 'events' | 'log',
    at: { readonly offset: number; readonly waitMs: number },
  ): Promise<Uint8Array>;
  state(folder: string): Promise<JobState>;
  stop(folder: string, how: { readonly now: boolean }): Promise<void>;
  /** Starts a job that was ended before it was done once more; it goes on from its state. */
  restart(job: SubmittedFolder): Promise<{ readonly place: string }>;
  explain(folder: string, failure: Failure): Promise<Failure>;
}

export interface SubmittedFolder {
  readonly folder: string;
  readonly name: string;
  readonly request: JobRequest;
  readonly resources: StageResources;
  readonly environment: Readonly<Record<string, string>>;
}

/** The most bytes that one read gives. */
const pieceBytes = 1 << 20;
/** How often a file is looked at while someone waits for more of it. */
const lookMilliseconds = 50;

/** A site on this machine, or one that shares its disk: the folders are the attempts of a store. */
export function openSite({
  executor,
  root,
  launcher,
}: {
  /** The name by which the job is found again. */
  readonly executor: string;
  readonly root: string;
  readonly launcher: Launcher;
}): JobSite {
  const keep = async (folder: string, id: string | undefined): Promise<JobFile> => {
    const file = { executor, place: launcher.placeOf(id), ...(id !== undefined && { id }) };
    await writeJobFile({ folder, root }, file);
    return file;
  };
  const idOf = (folder: string): string => readJobFile(folder)?.id ?? '';
  const start = async (job: SubmittedFolder): Promise<JobFile> => {
    const { folder, name, request, resources, environment } = job;
    const { stage } = request.action;
    return keep(folder, await launcher.start({ folder, name, stage, resources, environment, root }));
  };
  return {
    submit: async (job) => {
      const { folder, name, request } = job;
      const before = readJobFile(folder);
      if (before?.id !== undefined) return before;
      // A crash may have come between its start and the note of its number.
      if (before !== undefined) {
        const id = await launcher.find({ folder, name });
        if (id !== undefined || existsSync(join(folder, attemptFiles.events))) return keep(folder, id ?? '');
      }
      await writeFile(join(folder, attemptFiles.request), JSON.stringify(request));
      await keep(folder, undefined);
      return start(job);
    },
    restart: start,
    read: async (folder, file, { offset, waitMs }) => {
      const path = join(folder, attemptFiles[file]);
      for (const until = performance.now() + waitMs; ; ) {
        const piece = await readPiece(path, offset);
        if (piece.length > 0 || performance.now() >= until) return piece;
        await sleep(lookMilliseconds);
      }
    },
    state: (folder) => launcher.state(idOf(folder)),
    stop: (folder, how) => launcher.stop(idOf(folder), how),
    explain: (folder, failure) => launcher.explain({ id: idOf(folder), folder }, failure),
  };
}

/** Opens the file anew each time: on a network disk that is when other machines' writes are seen. */
async function readPiece(path: string, offset: number): Promise<Uint8Array> {
  if (!existsSync(path)) return new Uint8Array();
  await using handle = await open(path);
  const { size } = await handle.stat();
  const piece = Buffer.alloc(Math.min(pieceBytes, Math.max(0, size - offset)));
  const { bytesRead } = await handle.read(piece, 0, piece.length, offset);
  return piece.subarray(0, bytesRead);
}
