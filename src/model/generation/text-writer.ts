import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { RandomStream } from '../random-stream.ts';
import { chooseToken, type Sampling } from './choose-token.ts';
import type { DecodingRow } from './decode-rows.ts';
import { notFinite } from './not-finite.ts';
import { penalizeRepetition } from './penalize-repetition.ts';

/** How texts are written; `seed` and a prompt's id together decide its draws. */
export interface WritingSettings extends Sampling {
  readonly maxNewTokens: number;
  readonly seed: number;
  /** A text that holds one of these ends before it. */
  readonly stop: readonly string[];
  /** Tokens that end a text, beside the tokenizer's own end. They are not part of it. */
  readonly stopTokens?: readonly number[] | undefined;
  /** Above 1 makes tokens less likely that stand in the prompt or in the text so far. */
  readonly repetitionPenalty?: number | undefined;
  /** How many texts are written at a time. */
  readonly batchSize: number;
  /** Whether a prompt that is too long loses its first tokens; else it is refused. */
  readonly cutsPrompts?: boolean;
}

export interface EncodedPrompt {
  readonly id: string;
  readonly tokens: Int32Array;
}

export interface WrittenText {
  readonly id: string;
  readonly text: string;
  /** `stop` at an end of text, a stop text or a stop token, `length` at the limit. */
  readonly finishReason: 'stop' | 'length';
  readonly tokens: number;
}

export interface TextToWrite {
  readonly prompt: EncodedPrompt;
  readonly tokenizer: Tokenizer;
  readonly settings: WritingSettings;
}

/** One text while it is being written. */
export class TextWriter implements DecodingRow {
  readonly prompt: Int32Array;
  readonly #id: string;
  readonly #tokenizer: Tokenizer;
  readonly #settings: WritingSettings;
  readonly #random: RandomStream;
  readonly #tokens: number[] = [];
  #finishReason: 'stop' | 'length' = 'length';

  constructor({ prompt: { id, tokens }, tokenizer, settings }: TextToWrite) {
    this.prompt = tokens;
    this.#id = id;
    this.#tokenizer = tokenizer;
    this.#settings = settings;
    this.#random = new RandomStream(['sampling', settings.seed, id]);
  }

  readonly next = (logits: Float32Array): number | undefined => {
    const { endOfText, vocabularySize } = this.#tokenizer;
    const { stopTokens = [], repetitionPenalty: penalty = 1 } = this.#settings;
    // One hidden state that is NaN makes NaN of every logit.
    if (Number.isNaN(logits[0])) throw notFinite(this.#id);
    // A model may have more rows than the vocabulary has tokens.
    const own = logits.subarray(0, vocabularySize);
    const penalized = penalizeRepetition(own, { penalty, text: this.#soFar() });
    const token = chooseToken(penalized, this.#settings, this.#random);
    const ends = token === endOfText || stopTokens.includes(token);
    if (!ends) this.#tokens.push(token);
    if (ends || this.#meetsStop()) {
      this.#finishReason = 'stop';
      return undefined;
    }
    return this.#tokens.length < this.#settings.maxNewTokens ? token : undefined;
  };

  *#soFar(): Generator<number> {
    yield* this.prompt;
    yield* this.#tokens;
  }

  written(): WrittenText {
    const text = this.#tokenizer.decode(this.#tokens);
    const ends = this.#settings.stop.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
    return {
      id: this.#id,
      text: text.slice(0, Math.min(...ends, text.length)),
      finishReason: this.#finishReason,
      tokens: this.#tokens.length,
    };
  }

  #meetsStop(): boolean {
    const { stop } = this.#settings;
    if (stop.length === 0) return false;
    const text = this.#tokenizer.decode(this.#tokens);
    return stop.some((one) => text.includes(one));
  }
}
