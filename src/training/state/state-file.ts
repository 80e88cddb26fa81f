import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import {
  openSafetensors,
  type SafetensorsFile,
  type TensorToWrite,
  writeSafetensors,
} from '../../formats/index.ts';
import type { HistoryEntry } from '../history-entry.ts';
import type { SavedState, TrainingState } from './training-state.ts';

/** Raised whenever a state that an older version wrote could not be taken up exactly. */
const format = '1';
const historyTensor = 'history';
const statePattern = /^step-(\d+)\.([0-9a-f]{64})\.safetensors$/;
const unfinished = '.new';

interface StateToSave {
  readonly state: TrainingState;
  readonly fingerprint: string;
}

/** Replaces the folder's saved state. A crash leaves the one before or the new one, never half of one. */
export async function saveState(folder: string, saved: StateToSave): Promise<void> {
  await mkdir(folder, { recursive: true });
  // A name of its own: the process of a killed run may be at its last write to the one before.
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
 * The latest state that an interrupted training left; undefined where there is none that this engine can take up
 * exactly. Bytes that do not have the hash in the file's name are none.
 */
export async function readState(folder: string, fingerprint: string): Promise<SavedState | undefined> {
  for (const { name, digest } of await statesIn(folder)) {
    const path = join(folder, name);
    const whole = (await digestOf(path).catch(() => undefined)) === digest;
    const state = whole ? await readStateFile(path, fingerprint) : undefined;
    if (state !== undefined) return state;
  }
  return undefined;
}

/** Writes a new file, which is on the disk when this resolves. */
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

/** As readState, from a file of any name. */
export async function readStateFile(path: string, fingerprint: string): Promise<SavedState | undefined> {
  try {
    await using file = await openSafetensors(path);
    const { metadata } = file;
    if (metadata.format !== format || metadata.fingerprint !== fingerprint) return undefined;
    const lines = new TextDecoder().decode(await file.readUint8(historyTensor)).split('\n');
    return {
      step: Number(metadata.step),
      history: lines.filter(Boolean).map((line) => JSON.parse(line) as HistoryEntry), // as saveState wrote it
      weights: await readGroup(file, 'weight'),
      firstMoments: await readGroup(file, 'first_moment'),
      secondMoments: await readGroup(file, 'second_moment'),
      bestWeights: metadata.best === 'true' ? await readGroup(file, 'best_weight') : undefined,
    };
  } catch {
    // Absent or torn: the training begins anew, which is slower and never wrong.
    return undefined;
  }
}

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
    const trained = optimizer.trained.get(name);
    const best = bestWeights?.get(name);
    const { size } = variable;
    return [
      floats(`weight/${name}`, { size, read: () => variable.dataSync<'float32'>() }),
      ...(trained === undefined
        ? []
        : [
            floats(`first_moment/${name}`, { size, read: () => trained.moments().first }),
            floats(`second_moment/${name}`, { size, read: () => trained.moments().second }),
          ]),
      ...(best === undefined ? [] : [floats(`best_weight/${name}`, { size, read: () => best })]),
    ];
  });
  return [{ name: historyTensor, dtype: 'U8', shape: [lines.length], read: () => lines }, ...groups];
}

/** Read when they are written, so that few are on the host at a time. */
const floats = (
  name: string,
  { size, read }: { readonly size: number; readonly read: () => Float32Array },
): TensorToWrite => ({ name, dtype: 'F32', shape: [size], read });

async function readGroup(file: SafetensorsFile, group: string): Promise<ReadonlyMap<string, Float32Array>> {
  const values = new Map<string, Float32Array>();
  for (const stored of file.tensors.keys())
    if (stored.startsWith(`${group}/`))
      values.set(stored.slice(group.length + 1), await file.readFloat32(stored));
  return values;
}

export async function flush(path: string): Promise<void> {
  const handle = await open(path, 'r');
  await handle.sync();
  await handle.close();
}
