import type { JsonObject } from '../../json.ts';

/** What a model answered to one prompt (`text` mode), or how it rates what it is given (the other modes). */
export interface ResponseRecord {
  readonly id: string;
  readonly prompt: string;
  /** The expected response: the formatted record's `response` segments joined. */
  readonly expected: string;
  /** The row that the prompt was made from. */
  readonly fields: JsonObject;
  /** `text` mode: the answer, cleaned of the response header and of surrounding white space. */
  readonly response?: string;
  /** `text` mode: `stop` at end of text or a stop string, `length` at the limit. */
  readonly finish_reason?: 'stop' | 'length';
  /** `score` mode: natural-log likelihood of the expected response (and the end of text after it), `rolling` mode: of the whole text, summed over its tokens. */
  readonly log_likelihood?: number;
  /** `score` and `rolling` mode: how many tokens were scored. */
  readonly scored_tokens?: number;
  /** After `execute`: whether the answer, run as a program, passed its tests. */
  readonly passed?: boolean;
  /** After `execute`: `passed`, `timed out`, or `failed: ` and the exception. */
  readonly outcome?: string;
  /** `choices` mode: each candidate, in the order of the record. */
  readonly choices?: readonly RatedChoice[];
  /** `rolling` mode: words of the text, as white space parts them. */
  readonly words?: number;
  /** `rolling` mode: bytes of the text in UTF-8. */
  readonly bytes?: number;
}

/** How likely a model finds one candidate after a prompt. */
export type RatedChoice = {
  readonly text: string;
  /** Natural logarithm of its probability, summed over its tokens. */
  readonly log_likelihood: number;
  /** The same divided by the candidate's characters (code points). */
  readonly per_character: number;
  /** The same divided by the candidate's bytes in UTF-8. */
  readonly per_byte: number;
  readonly tokens: number;
  /** Whether the model would have written it: each token is the likeliest at its place. */
  readonly is_greedy: boolean;
};
