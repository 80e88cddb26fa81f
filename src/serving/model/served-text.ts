import {
  type DecodingRow,
  type LogProbability,
  logProbabilities,
  type ScoredPrompt,
  type Sequence,
  type TokenLogProbability,
  withoutBeginning,
} from '../../model/index.ts';
import { IncrementalDecoder, type Tokenizer } from '../../text/index.ts';
import type { AnswerPiece, LikelyToken, TokenName, ToldToken } from './protocol.ts';

interface ServedTextOptions {
  readonly choice: number;
  readonly sequence: Sequence;
  readonly maxNewTokens: number;
  /** Texts that end it. */
  readonly stop: readonly string[];
  readonly logprobs: number | undefined;
  readonly stream: boolean;
  /** How a token is told. */
  readonly nameOf: (token: number) => TokenName;
  readonly onPiece: (piece: AnswerPiece) => void;
  /** The model computes no numbers. */
  readonly onFailure: (error: unknown) => void;
}

/** One answer while it is written: sends what is certain of it, piece by piece. */
export class ServedText implements DecodingRow {
  readonly prompt: Int32Array;
  readonly #options: ServedTextOptions;
  /** The prompt's text, if the answer begins with it. */
  #echo = '';
  /** How much of the answer has been sent. */
  #sent = 0;
  #pending: (ToldToken & { readonly end: number })[] = [];
  #isOver = false;

  constructor(options: ServedTextOptions) {
    this.#options = options;
    this.prompt = options.sequence.prompt;
  }

  /** Whether it has ended, or nobody waits for it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Sends nothing more, and ends with the next token. */
  cancel(): void {
    this.#isOver = true;
  }

  /** Begins the answer with its prompt, and tells the prompt's tokens if they are scored. */
  echo({ text, hidden, tokenizer, scored }: EchoedPrompt): void {
    this.#echo = text;
    if (scored === undefined) return;
    // A NaN in the hidden state makes every logit NaN.
    if (Number.isNaN(scored.logits[0])) {
      this.#isOver = true;
      this.#options.onFailure(new Error('the model computes no numbers: its weights hold NaN or infinity'));
      return;
    }
    const decoder = new IncrementalDecoder(tokenizer);
    for (const [index, token] of this.prompt.entries()) {
      const offset = Math.min(decoder.text.length, text.length);
      if (index >= hidden) decoder.add(token);
      const told = this.#told(token, index === 0 ? undefined : scored.scores[index - 1], offset);
      this.#pending.push({ ...told, end: Math.min(decoder.text.length, text.length) });
    }
  }

  /** Ends it before the model writes. */
  end(): void {
    this.#finish();
  }

  readonly next = (logits: Float32Array): number | undefined => {
    if (this.#isOver) return undefined;
    const { sequence, logprobs } = this.#options;
    try {
      const offset = this.#echo.length + sequence.text.length;
      const before = sequence.tokens.length;
      const token = sequence.next(logits);
      const { last = 0 } = sequence;
      if (logprobs !== undefined) {
        const isEnd = sequence.tokens.length === before;
        const told = this.#told(last, logProbabilities(logits, last, logprobs), offset);
        this.#pending.push({ ...told, isEnd, end: this.#echo.length + sequence.text.length });
      }
      if (token === undefined) this.#finish();
      else if (this.#options.stream) this.#send(withoutBeginning(sequence.text, this.#options.stop));
      return token;
    } catch (error) {
      this.#isOver = true;
      this.#options.onFailure(error);
      return undefined;
    }
  };

  #send(text: string): void {
    const whole = this.#echo + text;
    if (whole.length <= this.#sent) return;
    const isTold = ({ end }: { end: number }) => end <= whole.length;
    const tokens = this.#pending.filter(isTold);
    this.#pending = this.#pending.filter((token) => !isTold(token));
    this.#options.onPiece({ choice: this.#options.choice, text: whole.slice(this.#sent), tokens });
    this.#sent = whole.length;
  }

  #finish(): void {
    const { sequence, choice, onPiece, maxNewTokens } = this.#options;
    this.#isOver = true;
    const { text, finishReason, tokens } = maxNewTokens === 0 ? nothing : sequence.result();
    const whole = this.#echo + text;
    // A stop text cuts off the tokens that write it.
    const isCut = sequence.text.length > text.length && maxNewTokens > 0;
    const told = this.#pending.filter(({ offset, isEnd }) => isEnd || !isCut || offset < whole.length);
    onPiece({ choice, text: whole.slice(this.#sent), tokens: told, ended: { finishReason, tokens } });
  }

  #told(token: number, score: TokenLogProbability | undefined, offset: number): ToldToken {
    const { nameOf } = this.#options;
    const likely = (one: LogProbability): LikelyToken => ({
      ...nameOf(one.token),
      logprob: one.logProbability,
    });
    return {
      ...nameOf(token),
      logprob: score?.logProbability ?? null,
      top: score?.top.map(likely) ?? [],
      offset,
      isEnd: false,
    };
  }
}

const nothing = { text: '', finishReason: 'length', tokens: 0 } as const;

interface EchoedPrompt {
  readonly text: string;
  /** How many tokens at the beginning of the prompt its text does not show. */
  readonly hidden: number;
  readonly tokenizer: Tokenizer;
  readonly scored: ScoredPrompt | undefined;
}
