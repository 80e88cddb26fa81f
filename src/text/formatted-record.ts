import type { JsonObject } from '../json.ts';

/**
 * Who wrote a piece of text. `prompt` is what the model is given. `header` is the marker between prompt and response
 * (`### Response:`), which a model may have to write itself. `response` is what it should answer.
 */
export type SegmentRole = 'prompt' | 'header' | 'response';

export interface Segment {
  readonly role: SegmentRole;
  readonly text: string;
}

/** A record as the model will read it: its text is the segments one after the other. */
export interface FormattedRecord {
  readonly id: string;
  readonly segments: readonly Segment[];
  /** The responses to choose from, where there is such a choice; the right one is also the response. */
  readonly choices?: readonly string[];
  /** So many characters at the beginning of the prompt, such as few shots, begin other records' prompts too. */
  readonly shared_characters?: number;
  /** The row that it was made from, for metrics, judges and people. */
  readonly fields: JsonObject;
}
