import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeQuantizedFolder } from '../../src/model/folder/model-folder.ts';
import { openGgufModel } from '../../src/model/gguf/open-gguf-model.ts';
import { openLanguageModel, quantizeWeights } from '../../src/model/language-model.ts';
import { openTensorBackend, type WeightPrecision } from '../../src/tensor/index.ts';
import { chatWriter } from '../../src/text/chat/chat-segments.ts';
import { openChatTemplate } from '../../src/text/chat/open-chat-template.ts';
import { writeGgufTokenizer } from '../../src/text/tokenizer/gguf-tokenizer.ts';
import { openTokenizer } from '../../src/text/tokenizer/open-tokenizer.ts';
import { type DecodingWork, greedyAnswers } from './greedy-answers.ts';
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

/** Messages of a user, whose prompts are asked for, or prompts to answer. */
type Work = DecodingWork & { readonly messages?: readonly string[] };

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

await serve(({ messages, ...work }: Work) =>
  messages === undefined
    ? greedyAnswers(model, work)
    : Promise.resolve({ prompts: encode(messages), ends: [tokenizer.endOfText] }),
);
