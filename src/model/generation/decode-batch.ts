import type { LanguageModel } from '../language-model.ts';
import { type DecodingRow, decodeRows } from './decode-rows.ts';

export interface DecodingBatch {
  readonly model: LanguageModel;
  readonly rows: readonly DecodingRow[];
  /** The padded length of the prompts. */
  readonly length: number;
  readonly signal: AbortSignal;
}

/** Writes some rows side by side, all to their ends. */
export async function decodeBatch({ model, rows, length, signal }: DecodingBatch): Promise<void> {
  const slots = model.config.contextLength;
  const decoding = decodeRows({ model, rows, width: rows.length, promptLength: length, slots, signal });
  while (!(await decoding.next()).done);
}
