import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TrainingTask } from '../training-task.ts';
import { type KeptEpoch, keptEpochs } from './kept-epoch-name.ts';
import { digestOf, flush, readState, readStateFile, writeState } from './state-file.ts';
import type { SavedState, TrainingState } from './training-state.ts';

/** Where trainings that differ only in their number of epochs keep their states at the ends of epochs. */
interface KeptEpochs {
  readonly folder: string;
  /** Names the engine that computes: an engine resumes only from its own state. */
  readonly fingerprint: string;
}

/** Keeps the state at the end of an epoch, and deletes all but the latest `most` of this engine's epochs. */
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

/** The latest kept state that a training of N epochs passes through; undefined if none can be resumed exactly. */
async function findKeptEpoch(
  { folder, fingerprint }: KeptEpochs,
  epochs: number,
): Promise<SavedState | undefined> {
  for (const { name, epoch, digest } of await epochsIn(folder, fingerprint)) {
    if (epoch > epochs) continue;
    const path = join(folder, name);
    const state = await readStateFile(path, { digest, fingerprint });
    if (state !== undefined) return state;
    await rm(path, { force: true });
  }
  return undefined;
}

/** This engine's kept epochs, the latest first. */
async function epochsIn(folder: string, fingerprint: string): Promise<readonly KeptEpoch[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const own = keptEpochs(names).filter((kept) => kept.fingerprint === shortHash(fingerprint));
  return own.sort((a, b) => b.epoch - a.epoch);
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Where a training resumes. */
interface ResumePoint {
  readonly saved: SavedState;
  /** Continues "resumes after ...". */
  readonly description: string;
  /** Whether the state is from right after an epoch's last step, before the rest of the epoch's end. */
  readonly isEpochEnd: boolean;
}

/** The state of an interrupted attempt at this training, or of a training of another length, whichever is further. */
export async function findResumePoint(task: TrainingTask): Promise<ResumePoint | undefined> {
  const { statePath, checkpointPath, fingerprint, config } = task;
  const attempt = await readState(statePath, fingerprint);
  const kept =
    checkpointPath === undefined
      ? undefined
      : await findKeptEpoch({ folder: checkpointPath, fingerprint }, config.epochs);
  if (kept !== undefined && kept.step > (attempt?.step ?? 0)) {
    await attempt?.[Symbol.asyncDispose]();
    const epochs = kept.history.at(-1)?.epoch;
    return { saved: kept, description: `epoch ${epochs}, which is kept from before`, isEpochEnd: true };
  }
  await kept?.[Symbol.asyncDispose]();
  if (attempt === undefined) return undefined;
  const description = `step ${attempt.step}, where an earlier attempt saved its state`;
  return { saved: attempt, description, isEpochEnd: false };
}
