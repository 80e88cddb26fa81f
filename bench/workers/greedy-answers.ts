import { decodeRows } from '../../src/model/generation/decode.ts';
import { promptLength } from '../../src/model/generation/lengths.ts';
import type { LanguageModel } from '../../src/model/language-model.ts';

export interface DecodingWork {
  readonly batch: number;
  readonly slots: number;
  readonly prompts: readonly { readonly tokens: readonly number[]; readonly newTokens: number }[];
  /** Tokens after which an answer ends before it is as long as asked for. */
  readonly ends?: readonly number[];
}

/** Writes the answers, and tells how long that took in seconds and the peak of memory in bytes. */
export async function greedyAnswers(
  model: LanguageModel,
  { batch, slots, prompts, ends = [] }: DecodingWork,
): Promise<{ seconds: number; memory: number; written: number[][] }> {
  const start = performance.now();
  const rows = prompts.map(({ tokens, newTokens }) => {
    const written: number[] = [];
    const next = (logits: Float32Array) => {
      const token = likeliest(logits);
      written.push(token);
      return written.length < newTokens && !ends.includes(token) ? token : undefined;
    };
    return { prompt: Int32Array.from(tokens), next, written };
  });
  const paddedLength = (tokens: number) => promptLength(tokens, slots);
  const { signal } = new AbortController();
  for await (const _ of decodeRows({ model, rows, batchSize: batch, paddedLength, slots, signal }));
  const seconds = (performance.now() - start) / 1000;
  const memory = process.resourceUsage().maxRSS * 1024;
  return { seconds, memory, written: rows.map(({ written }) => written) };
}

function likeliest(logits: Float32Array): number {
  let best = 0;
  let most = logits[0] ?? 0;
  for (let token = 1; token < logits.length; token++) {
    const logit = logits[token] ?? 0;
    if (logit > most) [best, most] = [token, logit];
  }
  return best;
}
