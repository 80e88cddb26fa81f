import type { JsonObject } from '../json.ts';
import type { Conversation } from './chat/chat-message.ts';

/**
 * Who wrote a piece of text. `prompt` is what the model is given. `header` is the marker between prompt and response
 * (`### Response:`), which a model may have to write itself. `response` is what it should answer. `end` is the mark that
 * a chat template puts after a response (`<|im_end|>`), with which the model says that it is done; `tail` is what it
 * writes after the last one, such as a line feed, which belongs to nobody.
 */
export type SegmentRole = 'prompt' | 'header' | 'response' | 'end' | 'tail';

/** A stretch of text. Where it is special, it is the name of one special token; else it is text, whatever it looks like. */
export interface TextPiece {
  readonly text: string;
  readonly special?: true;
}

export interface Segment extends TextPiece {
  readonly role: SegmentRole;
}

/** A record as the model will read it: its text is the segments one after the other. */
export interface FormattedRecord {
  readonly id: string;
  readonly segments: readonly Segment[];
  /** The same prompt as turns, where it was written with a chat template: endpoints are asked in turns, not in one text. */
  readonly conversation?: Conversation;
  /** The responses to choose from, where there is such a choice; the right one is also the response. */
  readonly choices?: readonly string[];
  /** So many characters at the beginning of the prompt, such as few shots, begin other records' prompts too. */
  readonly shared_characters?: number;
  /** The row that it was made from, for metrics, judges and people. */
  readonly fields: JsonObject;
}

/** Whether the text has its own end, so that no end of text belongs after it. */
export const endsItself = (segments: readonly { readonly role: SegmentRole }[]): boolean =>
  segments.some(({ role }) => role === 'end');
