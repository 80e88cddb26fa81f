import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs-core';
import { openSafetensors, writeSafetensors } from '../../formats/index.ts';
import type { LanguageModel } from '../../model/index.ts';

/** Former weights of what is trained. They are in a file: in memory they would take as much as the model. */
export interface KeptWeights extends AsyncDisposable {
  readonly read: (name: string) => Promise<Float32Array>;
}

/** The end of the names of files that are still written, or were when their process died. */
export const unfinished = '.new';

/** Keeps the values that `read` gives for these variables, until they are disposed of or the process ends. */
export async function keepWeights(
  folder: string,
  {
    trainable,
    read,
  }: Pick<LanguageModel, 'trainable'> & {
    readonly read: (name: string, variable: tf.Variable) => Promise<Float32Array>;
  },
): Promise<KeptWeights> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${randomUUID()}${unfinished}`);
  const tensors = [...trainable].map(
    ([name, variable]) =>
      ({ name, dtype: 'F32', shape: [variable.size], read: () => read(name, variable) }) as const,
  );
  try {
    await writeSafetensors(path, { tensors });
    const file = await openSafetensors(path);
    return { read: file.readFloat32, [Symbol.asyncDispose]: file.close };
  } finally {
    // An open file stays readable without its name, and leaves nothing behind however the process ends.
    await rm(path, { force: true });
  }
}
