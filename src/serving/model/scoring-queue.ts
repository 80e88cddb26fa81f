import {
  type ContinuousBatch,
  type DecodingRow,
  type LanguageModel,
  promptLength,
  rowsPerPass,
  scorePrompts,
} from '../../model/index.ts';
import type { Tokenizer } from '../../text/index.ts';
import type { ReadPrompt } from './prompt-reader.ts';
import type { ServedText } from './served-text.ts';

/** A model, with an adapter or without, and the rows that it writes. */
export interface Writer {
  readonly model: LanguageModel;
  readonly batch: ContinuousBatch<DecodingRow>;
}

/** An answer whose prompt is scored before anything is written. */
interface ScoredText {
  readonly text: ServedText;
  readonly prompt: ReadPrompt;
  /** How many of the likeliest tokens are told. */
  readonly top: number;
  readonly maxNewTokens: number;
  readonly writer: Writer;
}

interface Scoring {
  readonly tokenizer: Tokenizer;
  readonly batchSize: number;
}

/** Answers that wait for the scores of their prompts. */
export class ScoringQueue {
  readonly #options: Scoring;
  #waiting: readonly ScoredText[] = [];

  constructor(options: Scoring) {
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.length;
  }

  add(one: ScoredText): void {
    this.#waiting = [...this.#waiting, one];
  }

  /** Takes out the answers that nobody waits for any longer. */
  removeOver(): void {
    this.#waiting = this.#waiting.filter(({ text }) => !text.isOver);
  }

  /** One pass over prompts of one padded length; answers of more than a token then wait for a place in the batch. */
  async step(): Promise<void> {
    const [first] = this.#waiting;
    if (first === undefined) return;
    const { tokenizer, batchSize } = this.#options;
    const { model } = first.writer;
    const lengthOf = ({ prompt }: ScoredText) =>
      promptLength(prompt.tokens.length, model.config.contextLength);
    const length = lengthOf(first);
    const some = this.#waiting
      .filter((one) => one.writer === first.writer && lengthOf(one) === length)
      .slice(0, rowsPerPass(length, batchSize));
    this.#waiting = this.#waiting.filter((one) => !some.includes(one));
    const scored = await scorePrompts({
      model,
      prompts: some.map(({ prompt }) => prompt.tokens),
      batchSize,
      top: some.map(({ top }) => top),
    });
    for (const [index, { text, prompt, maxNewTokens, writer }] of some.entries()) {
      const own = scored[index];
      if (own === undefined || text.isOver) continue;
      text.echo({ ...prompt, tokenizer, scored: own });
      if (text.isOver) continue;
      // A single token needs no second pass over the prompt.
      if (maxNewTokens === 0) text.end();
      else if (maxNewTokens === 1) text.next(own.logits);
      else writer.batch.add(text);
    }
  }
}
