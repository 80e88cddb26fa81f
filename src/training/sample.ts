import { decodeRows, longestText, promptLength, Sequence, slotCount } from '../model/index.ts';
import type { Example } from './batches/batch-plan.ts';
import { ignoredTarget } from './batches/micro-batch.ts';
import type { TrainingTask } from './training-task.ts';

/** What the model writes in place of an example's response, by greedy decoding; undefined if no sample is wanted. */
export async function writeSample(
  { model, tokenizer, config, endTokens }: Pick<TrainingTask, 'model' | 'tokenizer' | 'config' | 'endTokens'>,
  example: Example,
): Promise<{ readonly prompt: string; readonly response: string } | undefined> {
  const { max_new_tokens: maxNewTokens } = config.sample;
  if (maxNewTokens === 0) return undefined;
  const { contextLength: limit } = model.config;
  const tokens = example.inputs.subarray(0, Math.min(sampleStart(example), limit - 1));
  const room = Math.min(maxNewTokens, longestText(model.config, tokens.length) - tokens.length);
  const sequence = new Sequence({
    prompt: { id: example.id, tokens },
    tokenizer,
    settings: {
      temperature: 0,
      topP: 1,
      maxNewTokens: room,
      seed: 0,
      stop: [],
      stopTokens: endTokens,
      batchSize: 1,
    },
  });
  const decoding = decodeRows({
    model,
    rows: [sequence],
    batchSize: 1,
    paddedLength: (length) => promptLength(length, limit),
    slots: slotCount(tokens.length + room, limit),
    signal: new AbortController().signal, // never aborted: training stops between steps, where its state can be saved
  });
  while (!(await decoding.next()).done);
  return { prompt: tokenizer.decode(tokens), response: sequence.result().text };
}

/** After the prompt, and after a response header whose targets are masked, since the model is not taught to write it. */
export function sampleStart({ targets, promptLength }: Example): number {
  const firstUnmasked = targets.findIndex((target) => target !== ignoredTarget);
  return Math.max(promptLength, firstUnmasked + 1, 1);
}
