import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../core/index.ts';
import type { RunEvent } from '../stage/run-event.ts';
import { listRunIds, readRun } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import { storeLayout } from '../store/store-layout.ts';
import { namesIn } from '../store/sweep.ts';
import { hasErrorCode } from '../store/system-error.ts';

const ending = '.events.jsonl';
const pathOf = ({ root }: Store, run: string): string => join(root, storeLayout.runs, `${run}${ending}`);

/** Progress between two lines of one stage: a thousandth of its time so far, and at least this. */
const leastMilliseconds = 100;
/** More lines of a stage than anyone reads; its log has them all. */
const mostNotes = 10_000;

/**
 * What a run reports, for other processes to see while it runs: `runs/<run>.events.jsonl`. The file begins with the first
 * stage that runs, so that a run with nothing to do writes none, and is removed when the run ends, since the record then
 * says what it did. It stays after a kill. Progress is thinned as a stage goes on, so that a day of training fits.
 */
export class LiveEvents implements Disposable {
  readonly #path: string;
  readonly #held: RunEvent[] = [];
  readonly #stages = new Map<string, { began: number; last: number; notes: number }>();
  #descriptor: number | undefined;
  #failed = false;

  constructor(store: Store, run: string) {
    this.#path = pathOf(store, run);
  }

  add(event: RunEvent): void {
    if (this.#failed || !this.#isKept(event)) return;
    if (this.#descriptor === undefined && event.type !== 'stage-started') {
      this.#held.push(event);
      return;
    }
    try {
      this.#descriptor ??= openSync(this.#path, 'a');
      for (const one of [...this.#held.splice(0), event])
        writeSync(this.#descriptor, `${JSON.stringify({ at: Date.now(), ...one })}\n`);
    } catch {
      // A full disk must not end the run.
      this.#failed = true;
    }
  }

  /** Closes and removes the file. */
  [Symbol.dispose](): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#failed = true;
    rmSync(this.#path, { force: true });
  }

  #isKept(event: RunEvent): boolean {
    if (event.type === 'source-progress') return false;
    if (event.type !== 'stage-report') return true;
    const now = performance.now();
    const stage = this.#stages.get(event.stage) ?? { began: now, last: Number.NEGATIVE_INFINITY, notes: 0 };
    this.#stages.set(event.stage, stage);
    if (event.report.type === 'note') {
      stage.notes += 1;
      return stage.notes <= mostNotes;
    }
    const isDue = now - stage.last >= Math.max(leastMilliseconds, (now - stage.began) / 1000);
    if (isDue) stage.last = now;
    return isDue;
  }
}

/** An event of a run, with its time in milliseconds since 1970. */
export type LiveEvent = RunEvent & { readonly at: number };

export interface LiveEventsPage {
  readonly events: readonly LiveEvent[];
  /** Where to read on, in bytes. */
  readonly next: number;
}

const mostBytes = 8 * 2 ** 20;

/**
 * The events of a run under way, or of a killed one, from a byte on; at most 8 MiB at once. Undefined if the run has no
 * such file: it has not begun a stage, or it has ended.
 */
export async function readLiveEvents(
  store: Store,
  { run, from = 0 }: { readonly run: string; readonly from?: number },
): Promise<LiveEventsPage | undefined> {
  if (/[/\\]/.test(run)) return undefined;
  try {
    await using file = await open(pathOf(store, run));
    const { bytesRead, buffer } = await file.read(Buffer.alloc(mostBytes), 0, mostBytes, from);
    // A line may be half-written.
    const length = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
    const lines = buffer.subarray(0, length).toString().split('\n');
    return { events: lines.flatMap((line) => parseEvent(line) ?? []), next: from + length };
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}

/** Undefined for anything but an event: a store from elsewhere may hold anything. */
function parseEvent(line: string): LiveEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    const isEvent =
      isObject(value) &&
      typeof value.at === 'number' &&
      typeof value.type === 'string' &&
      (value.stage === undefined || typeof value.stage === 'string') &&
      (value.type !== 'stage-report' || isObject(value.report));
    // What is shown of an event is checked where it is shown.
    return isEvent ? (value as unknown as LiveEvent) : undefined;
  } catch {
    return undefined;
  }
}

const keptMilliseconds = 30 * 24 * 60 * 60 * 1000;

/** Removes what killed runs left more than 30 days ago, or whose record is gone. */
export async function sweepLiveEvents(store: Store, now: Date): Promise<void> {
  const names = await namesIn(join(store.root, storeLayout.runs));
  const left = names.filter((name) => name.endsWith(ending));
  if (left.length === 0) return;
  const known = new Set(listRunIds(store));
  for (const name of left) {
    const run = name.slice(0, -ending.length);
    const path = join(store.root, storeLayout.runs, name);
    const age = now.getTime() - (await stat(path).catch(() => ({ mtimeMs: now.getTime() }))).mtimeMs;
    const isOver = known.has(run) && readRun(store, run)?.outcome !== 'running';
    if (!known.has(run) || (isOver && age > keptMilliseconds)) await rm(path, { force: true });
  }
}
