import type { JsonObject } from '../../json.ts';

/** What a model answered to one prompt (`text` mode), or how it rates the given response (`score` mode). */
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
  /** `score` mode: natural-log likelihood of the expected response (and the end of text after it), summed over its tokens. */
  readonly log_likelihood?: number;
  /** `score` mode: how many tokens were scored. */
  readonly scored_tokens?: number;
  /** After `execute`: whether the answer, run as a program, passed its tests. */
  readonly passed?: boolean;
  /** After `execute`: `passed`, `timed out`, or `failed: ` and the exception. */
  readonly outcome?: string;
}
