import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeQuantizedFolder } from '../../src/model/folder/model-folder.ts';
import { decodeRows } from '../../src/model/generation/decode.ts';
import { promptLength } from '../../src/model/generation/lengths.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { openTensorBackend, type WeightPrecision } from '../../src/tensor/index.ts';
import { chatWriter } from '../../src/text/chat/chat-segments.ts';
import { openChatTemplate } from '../../src/text/chat/open-chat-template.ts';
import { writeGgufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import { serve } from './serve.ts';

// Writes greedy answers with a GGUF file in its own bits, or tells the tokens of messages in its chat format:
// `node decode-gguf.mjs MODEL.gguf float32|int8|int4`.
const [gguf = '', precision = 'int4'] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'decode-gguf-'));
await using source = await openGgufModel(gguf);
await writeGgufTokenizer(folder, source);
await writeQuantizedFolder(folder, { config: source.config, gguf });
const tokenizer = await openTokenizer(folder);
const templateFor = await openChatTemplate({ folder });
await openTensorBackend({ backend: 'onnx', threads: 2 });
const settings = { precision: precision as WeightPrecision, products: 'rounded' } as const;
const model = await openLanguageModel(folder, settings);
await rm(folder, { recursive: true });
quantizeWeights(model, settings.precision);

interface Work {
  /** Messages of a user, whose prompts are asked for. */
  readonly messages?: readonly string[];
  readonly batch: number;
  readonly slots: number;
  readonly ends: readonly number[];
  readonly prompts: readonly { readonly tokens: readonly number[]; readonly newTokens: number }[];
}

function encode(messages: readonly string[]) {
  const write = chatWriter({
    templateFor,
    specialTokens: [...tokenizer.specialTokens.keys()],
    trainedRoles: ['assistant'],
    trainedTurns: 'all',
    trainReasoning: true,
  });
  return messages.map((content) => {
    const { segments } = write({
      messages: [
        { role: 'user', content },
        { role: 'assistant', content: 'x' },
      ],
    });
    const end = segments.findIndex(({ role }) => role === 'response');
    return [...tokenizer.encode(segments.slice(0, end))];
  });
}

await serve(async ({ messages, batch, slots, ends, prompts }: Work) => {
  if (messages !== undefined) return { prompts: encode(messages), ends: [tokenizer.endOfText] };
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
});

function likeliest(logits: Float32Array): number {
  let best = 0;
  let most = logits[0] ?? 0;
  for (let token = 1; token < logits.length; token++) {
    const logit = logits[token] ?? 0;
    if (logit > most) [best, most] = [token, logit];
  }
  return best;
}
