import type { Json, JsonObject } from '../../core/index.ts';

/** One turn of a conversation, as chat templates read it. Its content is text, null, or absent. */
export interface ChatMessage extends JsonObject {
  readonly role: string;
}

/** A conversation as a model is given it. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Descriptions of the tools that the assistant may call, if there are any. */
  readonly tools?: readonly Json[];
  /** Further variables of the template, such as `documents`. */
  readonly variables?: JsonObject;
}

/** The names under which data and templates have what the assistant thinks before it answers. */
export const reasoningFields: readonly string[] = ['reasoning_content', 'thinking', 'reasoning'];
