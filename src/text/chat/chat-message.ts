import type { Json } from '../../core/index.ts';

/** One turn of a conversation, as chat templates read it. Fields beside these, such as `tool_calls`, are handed on. */
export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly [field: string]: Json;
}

/** A row as a conversation. */
export interface Conversation {
  readonly messages: readonly ChatMessage[];
  /** Descriptions of the tools that the assistant may call, where the row has them. */
  readonly tools?: Json;
}
