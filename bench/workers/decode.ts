import { decodeRows } from '../../src/model/generation/decode.ts';
import { promptLength } from '../../src/model/generation/lengths.ts';
import { openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { openTensorBackend, type TensorBackendName } from '../../src/tensor/index.ts';
import { serve } from './serve.ts';

// Writes greedy answers of given lengths with a GPT-2 folder: `node decode.mjs FOLDER float32|int8 [BACKEND]`.
const [folder = '', precision = 'float32', backend = 'onnx'] = process.argv.slice(2);
await openTensorBackend({ backend: backend as TensorBackendName, threads: 2 });
const model = await openLanguageModel(folder);
quantizeWeights(model, precision === 'int8' ? 'int8' : 'float32');

interface Work {
  readonly batch: number;
  readonly slots: number;
  readonly prompts: readonly { readonly tokens: readonly number[]; readonly newTokens: number }[];
}

await serve(async ({ batch, slots, prompts }: Work) => {
  const start = performance.now();
  const rows = prompts.map(({ tokens, newTokens }) => {
    const written: number[] = [];
    const next = (logits: Float32Array) => {
      const token = likeliest(logits);
      written.push(token);
      return written.length < newTokens ? token : undefined;
    };
    return { prompt: Int32Array.from(tokens), next, written };
  });
  const paddedLength = (tokens: number) => promptLength(tokens, slots);
  const { signal } = new AbortController();
  for await (const _ of decodeRows({ model, rows, batchSize: batch, paddedLength, slots, signal }));
  const seconds = (performance.now() - start) / 1000;
  const memory = process.resourceUsage().maxRSS * 1024;
  return { seconds, memory, written: rows.map(({ written }) => written) };
});

function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token++)
    if ((logits[token] ?? 0) > (logits[best] ?? 0)) best = token;
  return best;
}
