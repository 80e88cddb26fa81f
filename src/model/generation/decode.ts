import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { LanguageModel } from '../language-model.ts';
import { DecodingBatch, type DecodingRow } from './decoding-batch.ts';
import { PrefillQueue } from './prefill-queue.ts';

export type { DecodingRow } from './decoding-batch.ts';

interface Decoding<Row extends DecodingRow> {
  readonly model: LanguageModel;
  readonly rows: readonly Row[];
  /** Rows in every decode step, B: constant, since it is a dimension of the computation. */
  readonly batchSize: number;
  /** The padded length of a prompt of N tokens. */
  readonly paddedLength: (tokens: number) => number;
  /** The most tokens in a row, including its prompt. */
  readonly slots: number;
  readonly signal: AbortSignal;
}

/**
 * Generates rows, `batchSize` at a time, and yields each when it ends; the next waiting row then takes its place
 * (continuous batching). All shapes follow from the settings and a row's own length, so no row's logits depend on
 * another row.
 */
export async function* decodeRows<Row extends DecodingRow>(decoding: Decoding<Row>): AsyncGenerator<Row> {
  const { model, batchSize, slots, signal } = decoding;
  using batch = new DecodingBatch<Row>(model, { batchSize, slots });
  const waiting = new PrefillQueue(decoding, decoding.rows);
  for (;;) {
    while (batch.size < batchSize) {
      await yieldToEventLoop();
      signal.throwIfAborted();
      const next = await waiting.next();
      if (next === undefined) break;
      if (!batch.add(next)) yield next.row;
    }
    if (batch.size === 0) return;
    await yieldToEventLoop();
    signal.throwIfAborted();
    yield* await batch.step();
  }
}
