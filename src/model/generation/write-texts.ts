import type { Encodable, Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { UserError } from '../../user-error.ts';
import type { LanguageModel } from '../language-model.ts';
import { decodeRows } from './decode-rows.ts';
import { groupByLength } from './group-by-length.ts';
import { longestText } from './longest-text.ts';
import { promptLength, slotCount } from './prompt-length.ts';
import { type EncodedPrompt, TextWriter, type WritingSettings, type WrittenText } from './text-writer.ts';

export interface Prompt {
  readonly id: string;
  readonly text: Encodable;
}

export interface Writing {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly prompts: readonly Prompt[];
  readonly settings: WritingSettings;
  readonly signal: AbortSignal;
}

/**
 * Lets a model continue prompts, yielding each text as it is done. A text depends on its own prompt alone: the shapes of
 * its computation follow from the prompt's length and the settings, and no row looks at another.
 */
export async function* writeTexts(writing: Writing): AsyncGenerator<WrittenText> {
  const { model, tokenizer, settings, signal } = writing;
  const { contextLength: limit } = model.config;
  const paddedLength = (tokens: number) => promptLength(tokens, limit);
  const slotsOf = ({ tokens }: EncodedPrompt) =>
    slotCount(paddedLength(tokens.length) + settings.maxNewTokens, limit);
  for (const [slots, prompts] of groupByLength(encodePrompts(writing), slotsOf)) {
    const rows = prompts.map((prompt) => new TextWriter({ prompt, tokenizer, settings }));
    const decoding = { model, rows, width: settings.batchSize, paddedLength, slots, signal };
    for await (const writer of decodeRows(decoding)) yield writer.written();
  }
}

function encodePrompts({ model, tokenizer, prompts, settings }: Writing): readonly EncodedPrompt[] {
  const encoded = prompts.map(({ id, text }): EncodedPrompt => {
    const tokens = tokenizer.encode(text);
    return { id, tokens: tokens.length > 0 ? tokens : Int32Array.of(tokenizer.endOfText) }; // a model needs something to go on
  });
  const { config } = model;
  const tooLong = encoded.filter(
    ({ tokens }) => tokens.length + settings.maxNewTokens > longestText(config, tokens.length),
  );
  if (tooLong.length === 0) return encoded;
  const limit = longestText(config, 0);
  const room = longestText(config, config.contextLength) - settings.maxNewTokens;
  if (settings.cutsPrompts === true && room > 0)
    return encoded.map(({ id, tokens }) => ({ id, tokens: tokens.subarray(-room) }));
  throw new UserError({
    code: 'context-limit',
    message: `${tooLong.length} of ${encoded.length} prompts leave no room for ${settings.maxNewTokens} new tokens in the model's context of ${limit}`,
    help:
      limit < config.contextLength
        ? `its LongRoPE turns a text of more than ${limit} tokens differently from the first on, so none may grow past them: lower \`max_new_tokens\`, or give prompts that are longer already`
        : 'lower `max_new_tokens`, shorten the prompts or take a model with a longer context',
    records: tooLong.map(({ id, tokens }) => ({ id, problem: `its prompt has ${tokens.length} tokens` })),
  });
}
