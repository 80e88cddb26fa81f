import type { ChatMessage } from './chat-message.ts';
import { chatWriter } from './chat-segments.ts';
import type { ChatTemplate } from './chat-template.ts';

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
  const write = chatWriter({
    templateFor: () => template,
    specialTokens,
    trainedRoles: ['assistant'],
    trainedTurns: 'all',
    trainReasoning: true,
  });
  for (const messages of samples) {
    try {
      const { segments } = write({ messages });
      return segments.find(({ role, special }) => role === 'end' && special)?.text;
    } catch {
      // The template refuses such a conversation; the records show whether that matters.
    }
  }
  return undefined;
}
