import { join } from 'node:path';
import { useResolution } from '../store/action-records.ts';
import { isOpenRun, listRunIds, type RunRecord, readRun } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import { runPath } from '../store/store-layout.ts';
import type { Holding } from './holdings.ts';
import { statOf } from './walk.ts';

/** The last runs of each pipeline whose results are kept. */
const lastRuns = 3;

/** The number of run records of each pipeline that are kept regardless of age. */
const runsOnRecord = 20;

/** The number of projects with a pipeline of one name that are told apart; of the others the runs count together. */
const projectsOfOneName = 20;

/** Counts runs by their pipeline. Projects that share a store may have pipelines of the same name. */
class SeenRuns {
  readonly #projects = new Map<string, Map<string, number>>();

  /** The number of runs of the same pipeline that were counted before. */
  nextOf({ pipeline, project = '' }: RunRecord): number {
    const counts = this.#projects.get(pipeline) ?? new Map<string, number>();
    this.#projects.set(pipeline, counts);
    const counted = counts.has(project) || counts.size < projectsOfOneName ? project : '';
    const before = counts.get(counted) ?? 0;
    counts.set(counted, before + 1);
    return before;
  }
}

export interface RunRoots {
  /** The keys used by the last runs of each pipeline. */
  readonly keys: ReadonlySet<string>;
  /** The earliest time at which an open run may have used something; Infinity if there is none. */
  readonly openSince: number;
  readonly openRuns: readonly string[];
  /** Run records that may be removed once they are old. */
  readonly old: readonly Holding[];
}

/** What the runs of a store still need. */
export function runRoots(store: Store, now: Date): RunRoots {
  const keys = new Set<string>();
  const seen = new SeenRuns();
  const openRuns: string[] = [];
  const old: Holding[] = [];
  let openSince = Number.POSITIVE_INFINITY;
  for (const id of listRunIds(store)) {
    const path = runPath(id);
    const stat = statOf(join(store.root, path));
    const run = readRun(store, id);
    const holding = {
      kind: 'run',
      path,
      bytes: stat?.size ?? 0,
      usedAt: stat?.mtimeMs ?? 0,
      name: id,
    } as const;
    if (run === undefined) {
      old.push(holding);
      continue;
    }
    const before = seen.nextOf(run);
    if (isOpenRun(store, { run, now })) {
      openRuns.push(id);
      openSince = Math.min(openSince, timeOf(run.startedAt) - 2 * useResolution);
    } else if (before >= runsOnRecord) old.push(holding);
    if (before < lastRuns)
      for (const outcome of Object.values(run.stages)) if ('key' in outcome) keys.add(outcome.key);
  }
  return { keys, openSince, openRuns, old };
}

/** An unreadable time counts as long ago, so that an open run keeps everything. */
function timeOf(text: string): number {
  const time = Date.parse(text);
  return Number.isNaN(time) ? 0 : time;
}
