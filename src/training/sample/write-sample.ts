import * as tf from '@tensorflow/tfjs-core';
import type { LanguageModel } from '../../model/language-model.ts';
import { paddedRows } from '../../model/padded-rows.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import type { Example } from '../batches/example.ts';

interface SampleRequest {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly example: Example;
  readonly maxNewTokens: number;
}

export interface Sample {
  readonly prompt: string;
  readonly response: string;
}

/** What the model writes after an example's prompt, always taking the likeliest token; up to the end of text or of its context. */
export async function writeSample({
  model,
  tokenizer,
  example,
  maxNewTokens,
}: SampleRequest): Promise<Sample> {
  const prompt = example.inputs.subarray(0, Math.max(1, example.promptLength));
  const length = Math.min(prompt.length + maxNewTokens, model.config.contextLength);
  const ids = new Int32Array(length).fill(tokenizer.endOfText);
  ids.set(prompt);
  let end = prompt.length;
  for (; end < length; end++) {
    const next = await likeliestAfter(model, ids, end - 1);
    if (next === tokenizer.endOfText) break;
    ids[end] = next;
  }
  return { prompt: tokenizer.decode(prompt), response: tokenizer.decode(ids.subarray(prompt.length, end)) };
}

/** The row is always as long as it will get, so that one compiled shape serves every token. */
async function likeliestAfter(model: LanguageModel, ids: Int32Array, position: number): Promise<number> {
  const chosen = tf.tidy(() => {
    const hidden = model.hidden(paddedRows(model.config, { ids, batch: 1, length: ids.length })); // [T, C]
    const last = tf.gather(hidden, tf.tensor1d([position], 'int32')); // [1, C]
    return tf.argMax(model.logits(last), 1); // [1]
  });
  const [token = 0] = await chosen.data();
  chosen.dispose();
  return token;
}
