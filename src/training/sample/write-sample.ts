import { decodeBatch } from '../../model/generation/decode-batch.ts';
import { lengthBucket } from '../../model/generation/length-bucket.ts';
import { TextWriter } from '../../model/generation/text-writer.ts';
import type { LanguageModel } from '../../model/language-model.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import type { Example } from '../batches/example.ts';
import { ignoredTarget } from '../batches/pad-batch.ts';

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

/** What the model writes where an example's response begins when it always takes the likeliest token. */
export async function writeSample({
  model,
  tokenizer,
  example,
  maxNewTokens,
}: SampleRequest): Promise<Sample> {
  const { contextLength: limit } = model.config;
  const tokens = example.inputs.subarray(0, Math.min(sampleStart(example), limit - 1));
  const writer = new TextWriter({
    prompt: { id: example.id, tokens },
    tokenizer,
    settings: {
      temperature: 0,
      topP: 1,
      maxNewTokens: Math.min(maxNewTokens, limit - tokens.length),
      seed: 0,
      stop: [],
      batchSize: 1,
    },
  });
  const length = lengthBucket(tokens.length, { step: 32, limit });
  const uninterrupted = new AbortController().signal; // training stops between steps, where its state can be saved
  await decodeBatch({ model, rows: [writer], length, signal: uninterrupted });
  return { prompt: tokenizer.decode(tokens), response: writer.written().text };
}

/** After the prompt, and after a response header too where its targets are masked: nobody taught the model to write that. */
export function sampleStart({ targets, promptLength }: Example): number {
  const firstLearnt = targets.findIndex((target) => target !== ignoredTarget);
  return Math.max(promptLength, firstLearnt + 1, 1);
}
