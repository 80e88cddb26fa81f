import type { Json } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { StageHost } from '../../runtime/index.ts';
import type { Conversation, ResponseRecord, TextPiece } from '../../text/index.ts';
import type { Question } from './question.ts';

/** What is to be generated, wherever the model is. */
export interface Generation {
  readonly config: GenerateConfig;
  readonly questions: readonly Question[];
  /** A private folder for what an interrupted run should find again. */
  readonly statePath: string;
  /** Where results are remembered across keys; undefined where nothing is to be taken from there. */
  readonly memoPath: string | undefined;
  readonly host: StageHost;
}

/** The responses in the order of the questions, and measurements of the run. */
export interface Generated {
  readonly responses: readonly ResponseRecord[];
  readonly measurements: Readonly<Record<string, Json>>;
}

/** One prompt to answer. */
export interface AnswerRequest {
  readonly id: string;
  /** The text that the model continues. */
  readonly prompt: string;
  /** The same text, of which a chat template's special tokens are told apart. */
  readonly given: readonly TextPiece[];
  /** The same as turns, where the record has them. */
  readonly conversation?: Conversation | undefined;
  /** 0 for the first or only answer to the prompt. */
  readonly sample: number;
}

/** What the model wrote, as it wrote it. */
export interface Answer {
  readonly id: string;
  readonly text: string;
  readonly finishReason: 'stop' | 'length';
  /** Tokens that were generated, for measurements; undefined where the source does not say. */
  readonly tokens?: number | undefined;
}

/** How to write: the part of the configuration that is the same for a model at hand and for one behind an endpoint. */
export type Sampling = Pick<
  GenerateConfig,
  | 'max_new_tokens'
  | 'temperature'
  | 'top_k'
  | 'top_p'
  | 'min_p'
  | 'repetition_penalty'
  | 'seed'
  | 'stop'
  | 'stop_tokens'
>;

export interface Asking {
  readonly requests: readonly AnswerRequest[];
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  /** Called once for each request, in any order. */
  readonly onAnswer: (answer: Answer) => void;
}

/** Something that answers prompts: a model at hand, or an endpoint. Resolves when every request has its answer. */
export type AnswerSource = (asking: Asking) => Promise<void>;

/** Counts answers and their tokens, and reports each. */
export class Tally {
  readonly #host: StageHost;
  readonly #total: number;
  readonly #begun = performance.now();
  readonly #known: number;
  #answers = 0;
  #tokens = 0;

  /** `known` of the `total` answers are there from before. */
  constructor(host: StageHost, { total, known = 0 }: { total: number; known?: number }) {
    this.#host = host;
    this.#total = total;
    this.#known = known;
  }

  add(tokens: number): void {
    this.#answers += 1;
    this.#tokens += tokens;
    this.#host.report({
      type: 'progress',
      unit: 'answer',
      done: this.#known + this.#answers,
      total: this.#total,
      figures: this.#tokens === 0 ? {} : { tokens_per_second: this.#tokensPerSecond() },
    });
  }

  measurements(): Readonly<Record<string, Json>> {
    return {
      answers: this.#answers,
      ...(this.#known === 0 ? {} : { answers_from_before: this.#known }),
      seconds: Math.round(performance.now() - this.#begun) / 1000,
      ...(this.#tokens === 0 ? {} : { tokens: this.#tokens, tokens_per_second: this.#tokensPerSecond() }),
    };
  }

  #tokensPerSecond(): number {
    return Math.round((1000 * this.#tokens) / (performance.now() - this.#begun));
  }
}
