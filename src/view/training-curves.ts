import { own } from '../core/index.ts';
import { type RunRecord, readRecord, type Store } from '../runtime/index.ts';
import { portCodecs, readAll } from '../stages/index.ts';
import type { HistoryEntry } from '../training/index.ts';
import { type Curves, curvesOf } from './curves.ts';
import { readRunOutput, type StageOfRun, stagesWith } from './read-output.ts';

/** The course of one training of a run. */
export interface TrainingView {
  readonly run: string;
  readonly stage: string;
  readonly curves: Curves;
  /** What the model wrote after each epoch. */
  readonly samples: readonly Sample[];
  /** Absent while the training goes on. */
  readonly end?: Pick<Extract<HistoryEntry, { type: 'end' }>, 'step' | 'epoch' | 'reason'>;
}

type Sample = Omit<Extract<HistoryEntry, { type: 'sample' }>, 'type'>;

/** The trainings of a run whose histories are in the store. */
export async function viewTrainings(store: Store, run: RunRecord): Promise<readonly TrainingView[]> {
  const all: TrainingView[] = [];
  for (const stage of stagesWith(run, 'history')) {
    const history = await readRunOutput(store, { run, stage, output: 'history' }, (path) =>
      readAll(portCodecs.history.read(path)),
    );
    if (history === undefined) continue;
    const end = history.find((entry) => entry.type === 'end');
    all.push({
      run: run.run,
      stage,
      curves: curvesOf(history, keptBy(store, { run, stage })),
      samples: history.flatMap((entry) => {
        if (entry.type !== 'sample') return [];
        const { type: _, ...sample } = entry;
        return [sample];
      }),
      ...(end && { end: { step: end.step, epoch: end.epoch, reason: end.reason } }),
    });
  }
  return all;
}

/** What the training's field `keep` was. */
function keptBy(store: Store, { run, stage }: StageOfRun): 'best' | 'last' {
  const outcome = own(run.stages, stage);
  if (outcome === undefined || !('key' in outcome)) return 'last';
  const found = readRecord(store, outcome.key);
  return found.kind === 'usable' && own(found.record.material.config, 'keep') === 'best' ? 'best' : 'last';
}
