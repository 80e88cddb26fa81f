import type { TrackedExperiment } from './tracked-experiment.ts';

/** Figures of one step of a stage, while its run goes on. */
export interface LiveFigures {
  readonly run: Pick<TrackedExperiment, 'pipeline' | 'run' | 'point'>;
  readonly step: number;
  /** `train/loss`, `train/learning_rate`. */
  readonly figures: Readonly<Record<string, number>>;
  /** In milliseconds since 1970. */
  readonly time: number;
}

/** A tool that follows a run. */
export interface LiveRun {
  readonly write: (figures: readonly LiveFigures[]) => Promise<void>;
  /** Completes and corrects what was written, from the histories and scores of the run. */
  readonly end: (experiments: readonly TrackedExperiment[]) => Promise<void>;
  /** Makes what is being written fail. */
  readonly stop: () => void;
}

/** The figures of each run, or point of a sweep, in their order. */
export function byRun(
  figures: readonly LiveFigures[],
): ReadonlyMap<LiveFigures['run'], readonly LiveFigures[]> {
  const names = new Map<string, LiveFigures['run']>();
  const groups = new Map<LiveFigures['run'], LiveFigures[]>();
  for (const each of figures) {
    const name = JSON.stringify([each.run.run, each.run.point ?? null]);
    const run = names.get(name) ?? each.run;
    names.set(name, run);
    const group = groups.get(run) ?? [];
    groups.set(run, group);
    group.push(each);
  }
  return groups;
}
