import { setImmediate } from 'node:timers/promises';
import type { Encodable, Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { UserError } from '../../user-error.ts';
import type { LanguageModel } from '../language-model.ts';
import { longestText } from './longest-text.ts';
import type { TextReader } from './text-reader.ts';
import { TextWriter, type WritingSettings, type WrittenText } from './text-writer.ts';

export interface Streaming {
  readonly model: Pick<LanguageModel, 'config'>;
  /** The model at work; what it has read before of the prompt's beginning is not read again. */
  readonly reader: TextReader;
  readonly tokenizer: Tokenizer;
  readonly prompt: Encodable;
  readonly settings: WritingSettings;
  readonly signal: AbortSignal;
  /** Told the whole text so far after each token; a character whose bytes are not all there yet is left out. */
  readonly onText: (text: string) => void;
}

/** Lets a model continue one prompt, telling its text as it comes. What was written before an abort is the result too. */
export async function streamText(streaming: Streaming): Promise<WrittenText> {
  const { model, reader, tokenizer, prompt, settings, signal, onText } = streaming;
  const tokens = tokenizer.encode(prompt);
  const limit = longestText(model.config, tokens.length);
  const room = Math.min(settings.maxNewTokens, limit - tokens.length);
  if (room < 1)
    throw new UserError({
      code: 'context-limit',
      message: `the conversation has ${tokens.length} tokens, and the model reads ${limit} at most`,
      help: 'begin anew with /reset',
    });
  const writer = new TextWriter({
    prompt: { id: 'chat', tokens },
    tokenizer,
    settings: { ...settings, maxNewTokens: room },
  });
  const next = (logits: Float32Array): number | undefined => {
    const token = writer.next(logits);
    onText(writer.written().text.replace(/\uFFFD+$/, ''));
    return token;
  };
  try {
    let token = next(await reader.read({ tokens, room, limit }));
    while (token !== undefined) {
      await setImmediate(); // lets an abort arrive
      signal.throwIfAborted();
      token = next(await reader.next(token));
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return writer.written();
}
