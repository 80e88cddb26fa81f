import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import type { LanguageModel } from '../language-model.ts';
import { ModelError } from '../model-error.ts';
import { batchesByLength } from './batches-by-length.ts';
import { type DecodingRow, decodeBatch } from './decode-batch.ts';
import { lengthBucket } from './length-bucket.ts';
import { type EncodedPrompt, TextWriter, type WritingSettings, type WrittenText } from './text-writer.ts';

export interface Prompt {
  readonly id: string;
  readonly text: string;
}

export interface Writing {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly prompts: readonly Prompt[];
  readonly settings: WritingSettings;
  readonly signal: AbortSignal;
}

/** Prompts are padded to multiples of this many tokens. */
const promptStep = 32;

/**
 * Lets a model continue prompts, yielding each text as it is done. A text depends on its own prompt alone: batches have
 * rows of the same padded length, always the same number of rows, and no row looks at another.
 */
export async function* writeTexts(writing: Writing): AsyncGenerator<WrittenText> {
  const { model, tokenizer, settings, signal } = writing;
  const { contextLength: limit } = model.config;
  const batches = batchesByLength({
    items: encodePrompts(writing),
    lengthOf: ({ tokens }) => lengthBucket(tokens.length, { step: promptStep, limit }),
    batchSize: settings.batchSize,
  });
  const idle: DecodingRow = { prompt: Int32Array.of(tokenizer.endOfText), next: () => undefined };
  for (const { length, items } of batches) {
    const writers = items.map((prompt) => new TextWriter({ prompt, tokenizer, settings }));
    const rows = Array.from({ length: settings.batchSize }, (_, row) => writers[row] ?? { ...idle });
    await decodeBatch({ model, rows, length, signal });
    for (const writer of writers) yield writer.written();
  }
}

function encodePrompts({ model, tokenizer, prompts, settings }: Writing): EncodedPrompt[] {
  const { contextLength } = model.config;
  return prompts.map(({ id, text }) => {
    const encoded = tokenizer.encode(text);
    const tokens = encoded.length > 0 ? encoded : Int32Array.of(tokenizer.endOfText); // a model needs something to go on
    if (tokens.length + settings.maxNewTokens <= contextLength) return { id, tokens };
    throw new ModelError({
      code: 'context-limit',
      message: `the prompt of record ${id} has ${tokens.length} tokens; with ${settings.maxNewTokens} new ones it exceeds the model's context of ${contextLength}`,
      help: 'lower `max_new_tokens`, shorten the prompt or take a model with a longer context',
    });
  });
}
