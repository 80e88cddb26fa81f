import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingTask } from '../training-task.ts';
import { type KeptEpoch, keptEpochs } from './kept-epoch-name.ts';
import { digestOf, flush, readState, readStateFile, writeState } from './state-file.ts';
import type { SavedState, TrainingState } from './training-state.ts';

/** Where trainings that differ in their number of epochs keep what they came to at the end of one. */
interface KeptEpochs {
  readonly folder: string;
  /** Names the engine that computes: nothing is taken up from another. */
  readonly fingerprint: string;
}

/** Keeps the state at the end of an epoch, and no more than `most` of this engine's epochs: the latest. */
export async function keepEpoch(
  { folder, fingerprint }: KeptEpochs,
  { epoch, state, most }: { readonly epoch: number; readonly state: TrainingState; readonly most: number },
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `${randomUUID()}.new`);
  try {
    await writeState(temporary, { state, fingerprint });
    const name = `epoch-${epoch}.${shortHash(fingerprint)}.${await digestOf(temporary)}.safetensors`;
    await rename(temporary, join(folder, name));
    await flush(folder);
  } finally {
    await rm(temporary, { force: true });
  }
  const kept = (await epochsIn(folder, fingerprint)).filter((other) => other.epoch <= epoch);
  for (const { name } of kept.slice(most)) await rm(join(folder, name), { force: true });
}

/** The latest kept state that a training of so many epochs comes by; undefined where none can be taken up exactly. */
async function findKeptEpoch(
  { folder, fingerprint }: KeptEpochs,
  epochs: number,
): Promise<SavedState | undefined> {
  for (const { name, epoch, digest } of await epochsIn(folder, fingerprint)) {
    if (epoch > epochs) continue;
    const path = join(folder, name);
    const whole = (await digestOf(path).catch(() => undefined)) === digest;
    const state = whole ? await readStateFile(path, fingerprint) : undefined;
    if (state !== undefined) return state;
    await rm(path, { force: true });
  }
  return undefined;
}

/** This engine's, the latest epoch first. */
async function epochsIn(folder: string, fingerprint: string): Promise<readonly KeptEpoch[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const own = keptEpochs(names).filter((kept) => kept.fingerprint === shortHash(fingerprint));
  return own.sort((a, b) => b.epoch - a.epoch);
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

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

const shortestInterval = 30_000;
/** Saving takes at most one part in so many of the time. */
const intervalToCost = 20;

/** Says when a training's state is worth saving again, by how long it took the last time. */
export class SavingTimes {
  readonly #clock: () => number;
  #savedAt: number;
  #cost = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#savedAt = clock();
  }

  get isDue(): boolean {
    return this.#clock() - this.#savedAt >= Math.max(shortestInterval, intervalToCost * this.#cost);
  }

  async measure(save: () => Promise<void>): Promise<void> {
    const begun = this.#clock();
    await save();
    this.#savedAt = this.#clock();
    this.#cost = this.#savedAt - begun;
  }
}
