import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonObject } from '../../json.ts';
import type { ModelConfig } from '../model-config.ts';
import { parameterLayout } from '../parameter-layout.ts';
import { type TensorToWrite, writeSafetensors } from '../safetensors/write-safetensors.ts';
import { checkpointNames } from './checkpoint-names.ts';

export interface ModelToWrite {
  readonly config: ModelConfig;
  /** Gives a parameter's values, row by row; called once for each, one after the other. */
  readonly read: (name: string) => Float32Array | Promise<Float32Array>;
}

/** Writes config.json and model.safetensors into a folder, which is made where it is not there. The tokenizer is not touched. */
export async function writeModelFolder(path: string, { config, read }: ModelToWrite): Promise<void> {
  await mkdir(path, { recursive: true });
  await writeFile(
    join(path, 'config.json'),
    `${JSON.stringify(inSinglePrecision(config.json), undefined, 2)}\n`,
  );
  const { aliases } = checkpointNames(config);
  const tensors = [...parameterLayout(config)].map(
    ([name, { shape }]): TensorToWrite => ({
      name: aliases(name)[0] ?? name,
      dtype: 'F32',
      shape,
      read: () => read(name),
    }),
  );
  // transformers refuses a checkpoint whose metadata does not say `pt`.
  await writeSafetensors(join(path, 'model.safetensors'), { tensors, metadata: { format: 'pt' } });
}

/** What is read as bfloat16 is written as float32; a config.json that said otherwise would have it rounded again. */
function inSinglePrecision(json: JsonObject): JsonObject {
  const names = ['dtype', 'torch_dtype'].filter((name) => Object.hasOwn(json, name));
  return { ...json, ...Object.fromEntries(names.map((name) => [name, 'float32'])) };
}
