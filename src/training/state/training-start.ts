import type { TrainingTask } from '../training-task.ts';
import { findKeptEpoch } from './kept-epochs.ts';
import { readState } from './state-file.ts';
import type { SavedState } from './training-state.ts';

/** Where a training begins that has not to begin at the beginning. */
export interface TrainingStart {
  readonly saved: SavedState;
  /** Continues "goes on after ...". */
  readonly words: string;
  /** Whether an epoch's last step had just been taken, and nothing else been done at the epoch's end. */
  readonly isEpochEnd: boolean;
}

/** What an interrupted attempt at the same training left, or a training of other length, whichever is further. */
export async function findStart(task: TrainingTask): Promise<TrainingStart | undefined> {
  const { statePath, checkpointPath, fingerprint, config } = task;
  const attempt = await readState(statePath, fingerprint);
  const kept =
    checkpointPath === undefined
      ? undefined
      : await findKeptEpoch({ folder: checkpointPath, fingerprint }, config.epochs);
  if (kept !== undefined && kept.step > (attempt?.step ?? 0)) {
    const epochs = kept.history.at(-1)?.epoch;
    return { saved: kept, words: `epoch ${epochs}, which is kept from before`, isEpochEnd: true };
  }
  if (attempt === undefined) return undefined;
  const words = `step ${attempt.step}, where an earlier attempt saved its state`;
  return { saved: attempt, words, isEpochEnd: false };
}
