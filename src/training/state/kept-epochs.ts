import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeptEpoch, keptEpochs } from './kept-epoch-name.ts';
import { digestOf, flush, readStateFile, writeState } from './state-file.ts';
import type { SavedState, TrainingState } from './training-state.ts';

/** Where trainings that differ in their number of epochs keep what they came to at the end of one. */
export interface KeptEpochs {
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
export async function findKeptEpoch(
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
