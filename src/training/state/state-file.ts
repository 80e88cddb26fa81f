import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openSafetensors, type TensorToWrite, writeSafetensors } from '../../formats/index.ts';
import type { HistoryEntry } from '../history.ts';
import { unfinished } from './kept-weights.ts';
import type { SavedState, TrainingState } from './training-state.ts';

/** Raised whenever a state written by an older version can no longer be resumed exactly. */
const format = '1';
const historyTensor = 'history';
/** The groups of tensors besides those of the optimizer's state, which it names. */
const [weight, bestWeight] = ['weight', 'best_weight'];
const statePattern = /^step-(\d+)\.([0-9a-f]{64})\.safetensors$/;

interface StateToSave {
  readonly state: TrainingState;
  readonly fingerprint: string;
}

/** Replaces the folder's saved state. A crash leaves the old or the new state, never a part of one. */
export async function saveState(folder: string, saved: StateToSave): Promise<void> {
  await mkdir(folder, { recursive: true });
  // A unique name, because the process of a killed run may still be writing to its own.
  const temporary = join(folder, `${randomUUID()}${unfinished}`);
  await writeState(temporary, saved);
  const name = `step-${saved.state.step}.${await digestOf(temporary)}.safetensors`;
  await rename(temporary, join(folder, name));
  await flush(folder);
  for (const other of await readdir(folder))
    if (other !== name && (other.endsWith(unfinished) || isState(other)))
      await rm(join(folder, other), { force: true });
}

/**
 * The latest state that an interrupted training left; undefined if there is none that this engine can resume exactly. A
 * file without the hash in its name is ignored.
 */
export async function readState(folder: string, fingerprint: string): Promise<SavedState | undefined> {
  for (const { name, digest } of await statesIn(folder)) {
    const state = await readStateFile(join(folder, name), { digest, fingerprint });
    if (state !== undefined) return state;
  }
  return undefined;
}

/** Writes a new file and flushes it to disk. */
export async function writeState(path: string, { state, fingerprint }: StateToSave): Promise<void> {
  await writeSafetensors(path, {
    metadata: {
      format,
      fingerprint,
      step: String(state.step),
      best: String(state.bestWeights !== undefined),
    },
    tensors: tensorsOf(state),
  });
  await flush(path);
}

/** A file's state; undefined if the file does not have this digest or was not written by this engine. */
export async function readStateFile(
  path: string,
  { digest, fingerprint }: { readonly digest: string; readonly fingerprint: string },
): Promise<SavedState | undefined> {
  try {
    if ((await digestOf(path)) !== digest) return undefined;
    const file = await openSafetensors(path);
    const { metadata } = file;
    const read = (group: string, name: string) => file.readFloat32(`${group}/${name}`);
    if (metadata.format === format && metadata.fingerprint === fingerprint)
      return {
        step: Number(metadata.step),
        history: linesOf(await file.readUint8(historyTensor)),
        readWeight: (name) => read(weight, name),
        readOptimizerState: read,
        readBestWeight: metadata.best === 'true' ? (name) => read(bestWeight, name) : undefined,
        [Symbol.asyncDispose]: file.close,
      };
    await file.close();
    return undefined;
  } catch {
    // Missing or torn: the training starts over, which is slower but not wrong.
    return undefined;
  }
}

const linesOf = (bytes: Uint8Array): readonly HistoryEntry[] => {
  const lines = new TextDecoder().decode(bytes).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as HistoryEntry); // as saveState wrote it
};

interface NamedState {
  readonly name: string;
  readonly step: number;
  /** SHA-256 of the file's bytes. */
  readonly digest: string;
}

const isState = (name: string): boolean => statePattern.test(name);

/** The states in a folder, the latest first. */
async function statesIn(folder: string): Promise<readonly NamedState[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const states = names.flatMap((name): NamedState[] => {
    const [, step, digest] = statePattern.exec(name) ?? [];
    return step === undefined || digest === undefined ? [] : [{ name, step: Number(step), digest }];
  });
  return states.sort((a, b) => b.step - a.step);
}

/** SHA-256 of a file's bytes. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

function tensorsOf({ model, optimizer, history, bestWeights }: TrainingState): readonly TensorToWrite[] {
  const lines = Buffer.from(history.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  const groups = [...model.trainable].flatMap(([name, variable]) => {
    const { size } = variable;
    return [
      floats(`${weight}/${name}`, { size, read: () => variable.dataSync<'float32'>() }),
      ...optimizer.stateOf(name).map((state) => floats(`${state.name}/${name}`, state)),
      ...(bestWeights === undefined
        ? []
        : [floats(`${bestWeight}/${name}`, { size, read: () => bestWeights.read(name) })]),
    ];
  });
  return [{ name: historyTensor, dtype: 'U8', shape: [lines.length], read: () => lines }, ...groups];
}

/** Read only when they are written, so that few are on the host at a time. */
const floats = (
  name: string,
  { size, read }: { readonly size: number; readonly read: () => Float32Array | Promise<Float32Array> },
): TensorToWrite => ({ name, dtype: 'F32', shape: [size], read });

export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync();
  await handle.close();
}

const shortestInterval = 30_000;
/** Saving takes at most 1 / 20 of the time. */
const intervalToCost = 20;

/** Decides when to save a training's state again, by how long the last save took. */
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
    const started = this.#clock();
    await save();
    this.#savedAt = this.#clock();
    this.#cost = this.#savedAt - started;
  }
}
