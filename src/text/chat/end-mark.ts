import { chatSegments } from './chat-segments.ts';
import type { ChatTemplate } from './chat-template.ts';
import type { ChatMessage } from './conversation.ts';

/** Conversations to try: some templates need a system message, and some refuse one. */
const samples: readonly (readonly ChatMessage[])[] = [
  [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
  ],
  [
    { role: 'system', content: 'Be brief' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Hi' },
  ],
];

/**
 * The special token that a chat template puts after an answer, such as `<|im_end|>`: what a model that was tuned with
 * the template writes when it is done. Undefined if the template ends no answer with one of `specialTokens`.
 */
export function endMark({
  template,
  specialTokens,
}: {
  readonly template: ChatTemplate;
  readonly specialTokens: readonly string[];
}): string | undefined {
  const format = { template, specialTokens, trainedRoles: ['assistant'], trainedTurns: 'all' as const };
  for (const messages of samples) {
    try {
      const segments = chatSegments({ messages }, format);
      return segments.find(({ role, special }) => role === 'end' && special)?.text;
    } catch {
      // The template refuses such a conversation; the records show whether that matters.
    }
  }
  return undefined;
}
