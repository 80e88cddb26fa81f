import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { sampleConversations } from './answer-end.ts';
import { chatWriter } from './chat-segments.ts';
import type { ChatTemplate } from './chat-template.ts';

/**
 * What a chat template puts after an answer, such as `<|im_end|>`: what a model that was tuned with the template writes
 * when it is done. It is one of `specialTokens`, or else text. Undefined if the template puts nothing there.
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
  for (const messages of sampleConversations) {
    try {
      const { segments } = write({ messages });
      const special = segments.find((segment) => segment.role === 'end' && segment.special);
      const written = special ?? segments.find(({ role }) => role === 'end_text');
      return written?.text.trim();
    } catch {
      // The template refuses such a conversation; the records show whether that matters.
    }
  }
  return undefined;
}

/** Where an answer with such an end stops: at the special token, or at the text if the tokenizer has no such token. */
export function stopsAt(
  mark: string | undefined,
  { specialTokens }: Pick<Tokenizer, 'specialTokens'>,
): { readonly stopTokens: readonly number[]; readonly stop: readonly string[] } {
  const token = mark === undefined ? undefined : specialTokens.get(mark);
  if (token !== undefined) return { stopTokens: [token], stop: [] };
  return { stopTokens: [], stop: mark === undefined ? [] : [mark] };
}
