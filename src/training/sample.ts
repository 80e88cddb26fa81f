import {
  decodeRows,
  type LanguageModel,
  longestText,
  promptLength,
  slotCount,
  TextWriter,
} from '../model/index.ts';
import type { Tokenizer } from '../text/index.ts';
import type { Example } from './batches/example.ts';
import { ignoredTarget } from './batches/micro-batch.ts';

interface SampleRequest {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly example: Example;
  readonly maxNewTokens: number;
}

interface Sample {
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
  const room = Math.min(maxNewTokens, longestText(model.config, tokens.length) - tokens.length);
  const writer = new TextWriter({
    prompt: { id: example.id, tokens },
    tokenizer,
    settings: {
      temperature: 0,
      topP: 1,
      maxNewTokens: room,
      seed: 0,
      stop: [],
      batchSize: 1,
    },
  });
  const decoding = decodeRows({
    model,
    rows: [writer],
    width: 1,
    paddedLength: (length) => promptLength(length, limit),
    slots: slotCount(tokens.length + room, limit),
    signal: new AbortController().signal, // never aborted: training stops between steps, where its state can be saved
  });
  while (!(await decoding.next()).done);
  return { prompt: tokenizer.decode(tokens), response: writer.written().text };
}

/** After the prompt, and after a response header too where its targets are masked: nobody taught the model to write that. */
export function sampleStart({ targets, promptLength }: Example): number {
  const firstLearnt = targets.findIndex((target) => target !== ignoredTarget);
  return Math.max(promptLength, firstLearnt + 1, 1);
}
