import type { ChatMessage } from './chat-message.ts';
import type { ChatTemplate } from './chat-template.ts';
import { attempt } from './shown.ts';
import type { Span } from './trained-spans.ts';

/** Conversations to try: some templates need a system message, and some refuse one. */
export const sampleConversations: readonly (readonly ChatMessage[])[] = [
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

/** What a template ends an answer with, and where. */
export interface AnswerEnd {
  readonly start: number;
  readonly end: number;
  /** Whether it is a special token; otherwise it is text, or empty. */
  readonly isSpecial: boolean;
}

/**
 * The special token that closes a turn. If the end of the turn is known, it is the last one in it, with all that comes
 * after; otherwise the one after its text. White space may come before either. Where there is none, the text with which
 * the template closes a turn, as with a tokenizer that lacks the template's tokens; empty if that is not there either.
 */
export function answerEnd(
  text: string,
  { start: from, end, markedEnd }: Span,
  { special, closing }: { readonly special: RegExp | undefined; readonly closing: string },
): AnswerEnd {
  const inTurn = text.slice(from, markedEnd);
  const matches = special === undefined ? [] : [...inTurn.matchAll(special)];
  const match = markedEnd === undefined ? matches.find(({ index }) => from + index >= end) : matches.at(-1);
  if (match !== undefined) {
    const start = from + match.index;
    const after = start + match[0].length;
    const isAfterText = markedEnd !== undefined || text.slice(end, start).trim() === '';
    const isLast = markedEnd === undefined || text.slice(after, markedEnd).trim() === '';
    if (isAfterText && isLast) return { start, end: markedEnd ?? after, isSpecial: true };
  }
  const none = { start: end, end, isSpecial: false };
  if (closing === '') return none;
  if (markedEnd === undefined) {
    const start = text.length - text.slice(end).trimStart().length;
    return text.startsWith(closing, start) ? { ...none, start, end: start + closing.length } : none;
  }
  const turnText = inTurn.trimEnd();
  return turnText.endsWith(closing) ? { ...none, start: from + turnText.length - closing.length } : none;
}

/**
 * What a template puts after every answer, whether it is the last or not, without the white space around it: a special
 * token, or else text. Empty if there is nothing.
 */
export function closingText(template: ChatTemplate, special: RegExp | undefined): string {
  const after = (messages: readonly ChatMessage[], answer: string): string | undefined => {
    const { text } = template.write({
      messages,
      tools: null,
      variables: { documents: null },
      addGenerationPrompt: false,
    });
    const start = text.lastIndexOf(answer);
    if (start < 0) return undefined;
    const rest = text.slice(start + answer.length);
    const [token] = special === undefined ? [] : [...rest.matchAll(special)];
    if (token === undefined) return rest;
    const before = rest.slice(0, token.index);
    return before.trim() === '' ? token[0] : before;
  };
  for (const sample of sampleConversations) {
    const answer = String(sample.at(-1)?.content);
    const last = attempt(() => after(sample, answer));
    const inner = attempt(() => after([...sample, { role: 'user', content: 'Bye' }], answer));
    if (last !== undefined) return commonText(last, inner ?? last).trim();
  }
  return '';
}

/** What both texts begin with. If both go on, whole lines or else words: what comes next may begin alike. */
function commonText(a: string, b: string): string {
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length += 1;
  const common = a.slice(0, length);
  const bothGoOn = length < a.length && length < b.length;
  if (!bothGoOn) return common;
  return common.includes('\n') ? common.slice(0, common.lastIndexOf('\n')) : common.replace(/\S*$/, '');
}
