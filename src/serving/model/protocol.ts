import type { Json, JsonObject } from '../../core/index.ts';
import type { ToolCallForm } from '../tool-calls.ts';

/** A model, and how its process computes. */
export interface ModelToServe {
  /** Absolute path of its folder. */
  readonly folder: string;
  /** Its adapters: each answers under its own name. */
  readonly adapters: readonly AdapterToServe[];
  /** A chat template instead of its own. */
  readonly template: string | undefined;
  /** Rows in every decode step. */
  readonly batchSize: number;
  /** The most tokens of a text, prompt included; by default as many as the model's context has. */
  readonly contextLength: number | undefined;
  readonly precision: 'float32' | 'int8' | 'int4';
  readonly backend: string | undefined;
}

export interface AdapterToServe {
  readonly name: string;
  /** Absolute path of its folder, in PEFT's layout. */
  readonly folder: string;
}

/** What a text begins with. */
export type PromptSource =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'tokens'; readonly tokens: readonly number[] }
  /** The JSON text of a ChatInput: a template may write numbers as the client spelled them. */
  | { readonly kind: 'chat'; readonly input: string };

/** A conversation as a request gives it. */
export interface ChatInput extends JsonObject {
  readonly messages: readonly JsonObject[];
  readonly tools: readonly Json[];
  readonly variables: JsonObject;
}

/** How answers are written: generate's settings, and those that only OpenAI's API has. */
export interface AnswerSettings {
  /** By default as many as the context has room for. */
  readonly maxNewTokens: number | undefined;
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number | undefined;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  /** [token, what is added to its logit] */
  readonly logitBias: readonly (readonly [number, number])[];
  /** Absent: every answer is drawn anew. */
  readonly seed: number | undefined;
  readonly stop: readonly string[];
  readonly stopTokens: readonly number[];
}

/** What one request asks the model for: `samples` answers to each prompt. */
export interface TextJob {
  /** The name of the adapter that answers; undefined for the model as it is. */
  readonly adapter: string | undefined;
  readonly prompts: readonly PromptSource[];
  readonly samples: number;
  readonly settings: AnswerSettings;
  /** Whether an answer begins with its prompt. */
  readonly echo: boolean;
  /** With how many of the likeliest tokens each token's log-probability is told; undefined for none. */
  readonly logprobs: number | undefined;
  /** Whether pieces are sent as they are written, or all at once. */
  readonly stream: boolean;
}

/** A token as the API tells it. */
export interface TokenName {
  /** Its text, or `bytes:\xe2\x80` where it is part of a character. */
  readonly text: string;
  readonly bytes: readonly number[];
}

export interface LikelyToken extends TokenName {
  readonly logprob: number;
}

export interface ToldToken extends TokenName {
  /** Null for the first token of a text, which nothing predicts. */
  readonly logprob: number | null;
  readonly top: readonly LikelyToken[];
  /** Where its text begins in the answer, in UTF-16 units. */
  readonly offset: number;
  /** Whether it ends the text and is not part of it. */
  readonly isEnd: boolean;
}

/** A piece of an answer; its index counts prompts first, then samples. */
export interface AnswerPiece {
  readonly choice: number;
  readonly text: string;
  readonly tokens: readonly ToldToken[];
  /** With the last piece. */
  readonly ended?: { readonly finishReason: 'stop' | 'length'; readonly tokens: number };
}

/** Why a request cannot be answered, by the request's own fault. */
export interface Refusal {
  readonly message: string;
  readonly code: string;
  /** The field at fault. */
  readonly field: string | undefined;
}

/** What the server sends to the model's process. */
export type ModelRequest =
  | { readonly type: 'open'; readonly model: ModelToServe }
  | { readonly type: 'write'; readonly id: number; readonly job: TextJob }
  /** Nobody waits for the answer any longer. */
  | { readonly type: 'cancel'; readonly id: number };

/** What a model offers to clients. */
export interface ServedModel {
  /** The most tokens of a text. */
  readonly contextLength: number;
  readonly backend: string;
  /** How its chat template has it call tools; undefined if that is not known. */
  readonly toolCalls: ToolCallForm | undefined;
  /** Why it has no conversations, such as for want of a chat template. */
  readonly noChat: string | undefined;
}

/** What the process sends back. */
export type ModelAnswer =
  | { readonly type: 'note'; readonly message: string }
  | { readonly type: 'ready'; readonly model: ServedModel }
  /** The prompts fit; the tokens of each. */
  | { readonly type: 'begun'; readonly id: number; readonly promptTokens: readonly number[] }
  | { readonly type: 'piece'; readonly id: number; readonly piece: AnswerPiece }
  | { readonly type: 'refused'; readonly id: number; readonly refusal: Refusal }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  /** How many rows are written and wait, whenever that changes. */
  | { readonly type: 'load'; readonly running: number; readonly waiting: number }
  /** The model cannot be opened. */
  | { readonly type: 'unusable'; readonly message: string; readonly help: string | undefined };
