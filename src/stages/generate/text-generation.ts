import type { Json } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import { generateTexts } from '../../model/index.ts';
import { emptyContext, type FinishReason, startToken } from '../../text/index.ts';
import type { LocalModel } from '../models/local-model.ts';
import type { GenerationMode } from './generate.ts';
import { cleanAnswer, type Prompt, promptIdentity } from './prompt.ts';

/** Something that completes prompts: a model in this process, or one behind an endpoint. */
export interface ModelClient {
  /** Equal for prompts that the model reads and answers equally. */
  readonly identity: (prompt: Prompt) => Json;
  /** Calls `onAnswer` once for each prompt, in any order. */
  readonly complete: (prompts: readonly Prompt[], onAnswer: (answer: Answer) => void) => Promise<void>;
}

/** What the model wrote, unchanged. */
export interface Answer {
  readonly id: string;
  readonly text: string;
  readonly finishReason: FinishReason;
  /** How many tokens were generated, for measurements; undefined if the client does not know. */
  readonly tokens?: number | undefined;
}

/** An answer in the response cache: [what the model wrote, why it stopped]. */
type CachedAnswer = readonly [text: string, finishReason: FinishReason];

/** `text` mode: the model writes an answer to each prompt. */
export const textGeneration = (
  { identity, complete }: ModelClient,
  config: GenerateConfig,
): GenerationMode<CachedAnswer> => ({
  // Draws are seeded by the record's id; greedy decoding depends on the prompt alone.
  cacheKey: (prompt) => (config.temperature > 0 ? [identity(prompt), prompt.id] : [identity(prompt)]),
  decode: (value) => {
    if (!Array.isArray(value)) return undefined;
    const [text, reason]: unknown[] = value;
    // An answer that an endpoint withheld is asked for again.
    return typeof text === 'string' && (reason === 'stop' || reason === 'length')
      ? [text, reason]
      : undefined;
  },
  compute: (prompts, onResult) =>
    complete(prompts, ({ id, text, finishReason, tokens = 0 }) =>
      onResult({ id, result: [text, finishReason], tokens }),
    ),
  responseFields: ({ header }, [text, finish_reason]) => ({
    // If the prompt ends with the header, a header in the answer is part of the answer.
    response: config.clean ? cleanAnswer(text, config.start === 'prompt' ? header : '') : text,
    finish_reason,
  }),
});

/** Completes prompts with a model in this process, `batch_size` at a time. */
export const localClient = (
  { model, tokenizer, endTokens }: LocalModel,
  { config, signal }: { readonly config: GenerateConfig; readonly signal: AbortSignal },
): ModelClient => ({
  identity: promptIdentity,
  async complete(prompts, onAnswer) {
    const { bos } = config;
    const settings = {
      maxNewTokens: config.max_new_tokens,
      temperature: config.temperature,
      topK: config.top_k,
      topP: config.top_p,
      minP: config.min_p,
      repetitionPenalty: config.repetition_penalty,
      seed: config.seed,
      stop: config.stop,
      stopTokens: [...(config.stop_at_end ? endTokens : []), ...config.stop_tokens],
      batchSize: config.batch_size,
      truncatesPrompts: config.too_long === 'cut',
    };
    const texts = prompts.map(({ id, pieces, isChat, endMark = '' }) => {
      const mark = config.stop_at_end ? tokenizer.specialTokens.get(endMark) : undefined;
      return {
        id,
        text: pieces,
        start: startToken(tokenizer, { bos, isChat }),
        emptyContext: emptyContext(tokenizer, bos),
        stopTokens: mark === undefined ? [] : [mark],
      };
    });
    for await (const text of generateTexts({ model, tokenizer, prompts: texts, settings, signal }))
      onAnswer(text);
  },
});
