import { join } from 'node:path';
import { isOpenRun } from '../store/open-runs.ts';
import { listRunIds, readRun } from '../store/run-records.ts';
import type { Store } from '../store/store.ts';
import { runPath } from '../store/store-layout.ts';
import { useResolution } from '../store/use-record.ts';
import type { Holding } from './holding.ts';
import { statOf } from './walk.ts';

/** So many of the last runs of each pipeline hold what they used. */
const lastRuns = 3;

/** So many runs of each pipeline stay on record, whatever their age. */
const runsOnRecord = 20;

export interface RunRoots {
  /** The keys that the last runs of each pipeline used. */
  readonly keys: ReadonlySet<string>;
  /** Since when a run that is under way may have used something; Infinity where none is. */
  readonly openSince: number;
  readonly openRuns: readonly string[];
  /** Records of runs that could go once they are old. */
  readonly old: readonly Holding[];
  readonly count: number;
}

/** What the runs of a store say about what is still wanted. */
export function runRoots(store: Store, now: Date): RunRoots {
  const keys = new Set<string>();
  const seen = new Map<string, number>();
  const openRuns: string[] = [];
  const old: Holding[] = [];
  let openSince = Number.POSITIVE_INFINITY;
  const ids = listRunIds(store);
  for (const id of ids) {
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
    const before = seen.get(run.pipeline) ?? 0;
    seen.set(run.pipeline, before + 1);
    if (isOpenRun(store, { run, now })) {
      openRuns.push(id);
      openSince = Math.min(openSince, timeOf(run.startedAt) - 2 * useResolution);
    } else if (before >= runsOnRecord) old.push(holding);
    if (before < lastRuns)
      for (const outcome of Object.values(run.stages)) if ('key' in outcome) keys.add(outcome.key);
  }
  return { keys, openSince, openRuns, old, count: ids.length };
}

/** A time that cannot be read is long ago: nothing goes because of it. */
function timeOf(text: string): number {
  const time = Date.parse(text);
  return Number.isNaN(time) ? 0 : time;
}
