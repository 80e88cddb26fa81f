import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { matrixLayouts } from '../base-precision.ts';
import type { QuantizedShare } from '../memory.ts';
import type { ModelConfig } from '../model-config.ts';
import { isQuantizedFolder, quantizedFile } from './model-folder.ts';

/** Bytes in memory of a byte in the file: scales are float32 there, and 5 and 6 bits become 8; fitted to files of 4 to 8 bits. */
const widening = 1.35;

/** What a precision with fewer bits leaves as a folder's file has it, by the file's size; undefined if the file is in float. */
export async function keptShare(folder: string, config: ModelConfig): Promise<QuantizedShare | undefined> {
  if (!isQuantizedFolder(folder)) return undefined;
  const { size } = await stat(join(folder, quantizedFile));
  let weights = 0;
  for (const { shape } of matrixLayouts(config).values()) weights += shape[0] * shape[1];
  return { weights, bytes: widening * size };
}
