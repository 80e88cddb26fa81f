import { RandomStream, UserError } from '../../core/index.ts';
import { type Encodable, encodeFrom, IncrementalDecoder, type Tokenizer } from '../../text/index.ts';
import type { LanguageModel } from '../language-model.ts';
import { decodeRows } from './decode.ts';
import type { DecodingRow } from './decoding-batch.ts';
import { groupByLength, longestText, promptLength, slotCount } from './lengths.ts';
import { adjustLogits, chooseToken, type LogitAdjustments, notFinite, type Sampling } from './sampler.ts';

export interface Prompt {
  readonly id: string;
  readonly text: Encodable;
  /** The token to put before the text. */
  readonly start?: number | undefined;
  /** What the model reads if there is no token at all; by default the end of text. */
  readonly emptyContext?: number;
  /** Tokens that end this text, besides those of the settings. */
  readonly stopTokens?: readonly number[];
  /** Texts before which this text ends, besides those of the settings. */
  readonly stop?: readonly string[];
}

interface Generation {
  readonly model: LanguageModel;
  readonly tokenizer: Tokenizer;
  readonly prompts: readonly Prompt[];
  readonly settings: GenerationSettings;
  readonly signal: AbortSignal;
}

/**
 * Generates continuations of prompts and yields each text when it is done. A text depends on its own prompt alone: the
 * shapes of its computation follow from the prompt's length and the settings, and no row attends to another.
 */
export async function* generateTexts(generation: Generation): AsyncGenerator<GeneratedText> {
  const { model, tokenizer, settings, signal } = generation;
  const { contextLength: limit } = model.config;
  const paddedLength = (tokens: number) => promptLength(tokens, limit);
  const slotsOf = ({ tokens }: EncodedPrompt) =>
    slotCount(paddedLength(tokens.length) + settings.maxNewTokens, limit);
  for (const [slots, prompts] of groupByLength(encodePrompts(generation), slotsOf)) {
    const rows = prompts.map((prompt) => new Sequence({ prompt, tokenizer, settings }));
    const decoding = { model, rows, batchSize: settings.batchSize, paddedLength, slots, signal };
    for await (const sequence of decodeRows(decoding)) yield sequence.result();
  }
}

function encodePrompts({ model, tokenizer, prompts, settings }: Generation): readonly EncodedPrompt[] {
  const encoded = prompts.map(
    ({ id, text, start, emptyContext = tokenizer.endOfText, stopTokens, stop }): EncodedPrompt => {
      const tokens = encodeFrom(start, { tokenizer, text });
      return { id, tokens: tokens.length > 0 ? tokens : Int32Array.of(emptyContext), stopTokens, stop };
    },
  );
  const { config } = model;
  const tooLong = encoded.filter(
    ({ tokens }) => tokens.length + settings.maxNewTokens > longestText(config, tokens.length),
  );
  if (tooLong.length === 0) return encoded;
  const limit = longestText(config, 0);
  const room = longestText(config, config.contextLength) - settings.maxNewTokens;
  if (settings.truncatesPrompts === true && room > 0)
    return encoded.map((prompt) => ({ ...prompt, tokens: prompt.tokens.subarray(-room) }));
  throw new UserError({
    code: 'context-limit',
    message: `${tooLong.length} of ${encoded.length} prompts leave no room for ${settings.maxNewTokens} new tokens in the model's context of ${limit}`,
    help:
      limit < config.contextLength
        ? `its LongRoPE rotates texts of more than ${limit} tokens differently from their first token on, so none may grow past that length: lower \`max_new_tokens\`, or use prompts that are already longer`
        : 'lower `max_new_tokens`, shorten the prompts or take a model with a longer context',
    records: tooLong.map(({ id, tokens }) => ({ id, problem: `its prompt has ${tokens.length} tokens` })),
  });
}

/** How texts are generated; `seed` and a prompt's id together decide its random draws. */
export interface GenerationSettings extends Sampling, LogitAdjustments {
  readonly maxNewTokens: number;
  readonly seed: number;
  /** A text ends before any of these. */
  readonly stop: readonly string[];
  /** Tokens that end a text, besides the tokenizer's end of text. They are not part of it. */
  readonly stopTokens?: readonly number[] | undefined;
  /** How many texts are generated at a time. */
  readonly batchSize: number;
  /** Whether a prompt that is too long loses its first tokens; otherwise it is an error. */
  readonly truncatesPrompts?: boolean;
}

/** A prompt as the model reads it: at least one token. */
export interface EncodedPrompt {
  readonly id: string;
  readonly tokens: Int32Array;
  readonly stopTokens?: readonly number[] | undefined;
  readonly stop?: readonly string[] | undefined;
}

export interface GeneratedText {
  readonly id: string;
  readonly text: string;
  /** `stop` at an end of text, a stop string or a stop token, `length` at the limit. */
  readonly finishReason: 'stop' | 'length';
  readonly tokens: number;
}

/** One text while it is being generated. */
export class Sequence implements DecodingRow {
  readonly prompt: Int32Array;
  readonly #id: string;
  readonly #tokenizer: Tokenizer;
  readonly #settings: GenerationSettings;
  readonly #ends: ReadonlySet<number>;
  readonly #stop: readonly string[];
  readonly #random: RandomStream;
  readonly #tokens: number[] = [];
  readonly #text: IncrementalDecoder;
  readonly #longestStop: number;
  #last: number | undefined;
  #finishReason: 'stop' | 'length' = 'length';

  constructor({
    prompt: { id, tokens, stopTokens = [], stop = [] },
    tokenizer,
    settings,
  }: {
    readonly prompt: EncodedPrompt;
    readonly tokenizer: Tokenizer;
    readonly settings: GenerationSettings;
  }) {
    this.prompt = tokens;
    this.#id = id;
    this.#tokenizer = tokenizer;
    this.#settings = settings;
    this.#ends = new Set([tokenizer.endOfText, ...(settings.stopTokens ?? []), ...stopTokens]);
    this.#stop = [...settings.stop, ...stop];
    this.#longestStop = Math.max(0, ...this.#stop.map(({ length }) => length));
    this.#text = new IncrementalDecoder(tokenizer);
    this.#random = new RandomStream(['sampling', settings.seed, id]);
  }

  /** The tokens so far, without one that ends the text. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /** The token that was chosen last, also if it ends the text. */
  get last(): number | undefined {
    return this.#last;
  }

  /** The text so far, with a stop text that ends it, but without what may still become a character. */
  get text(): string {
    return this.#text.text;
  }

  readonly next = (logits: Float32Array): number | undefined => {
    const { vocabularySize } = this.#tokenizer;
    // A NaN in the hidden state makes every logit NaN.
    if (Number.isNaN(logits[0])) throw notFinite(this.#id);
    // A model may have more logits than the vocabulary has tokens.
    const own = logits.subarray(0, vocabularySize);
    const adjusted = adjustLogits(own, {
      ...this.#settings,
      prompt: this.prompt,
      answer: this.#tokens,
    });
    const token = chooseToken(adjusted, this.#settings, this.#random);
    this.#last = token;
    const ends = this.#ends.has(token);
    if (ends || this.#add(token)) {
      this.#finishReason = 'stop';
      return undefined;
    }
    return this.#tokens.length < this.#settings.maxNewTokens ? token : undefined;
  };

  result(): GeneratedText {
    const text = this.#tokenizer.decode(this.#tokens);
    const ends = this.#stop.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
    return {
      id: this.#id,
      text: text.slice(0, Math.min(...ends, text.length)),
      finishReason: this.#finishReason,
      tokens: this.#tokens.length,
    };
  }

  /** Adds a token; whether the text contains a stop text then. */
  #add(token: number): boolean {
    const before = this.text.length;
    this.#tokens.push(token);
    this.#text.add(token);
    const end = this.text.slice(Math.max(0, before - this.#longestStop));
    return this.#stop.some((one) => end.includes(one));
  }
}
