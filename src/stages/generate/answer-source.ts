import type { GenerateConfig } from '../../generated/generate-config.ts';
import type { Conversation } from '../../text/chat/chat-message.ts';
import type { TextPiece } from '../../text/formatted-record.ts';

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
