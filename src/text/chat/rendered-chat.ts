import { type Json, jsonText } from '../../core/index.ts';
import { type ChatMessage, type Conversation, reasoningFields } from './chat-message.ts';
import type { ChatTemplate, ChatText } from './chat-template.ts';
import { marksFor } from './said.ts';
import { type Shown, shownIn } from './shown.ts';
import { maskSpecialTokens } from './special-token-mask.ts';
import { type WrittenTurns, writeCalls } from './tool-calls.ts';

/** A conversation as a template writes it. */
export interface RenderedChat {
  /** The turns as the template was given them: texts that look like special tokens are masked. */
  readonly turns: readonly ChatMessage[];
  readonly chat: ChatText;
  readonly shown: Shown;
  /** The text for some of the turns, with or without the beginning of an answer. Throws what the template throws. */
  readonly write: (turns: readonly ChatMessage[], prompt: boolean) => string;
  /** Whether the template read a field of a turn. */
  readonly isRead: (turn: number, field: string) => boolean;
  readonly unmask: (text: string) => string;
}

/** Renders a conversation; after a last turn that is no answer comes the beginning of one. */
export function renderChat(
  { messages, tools, variables }: Conversation,
  { template, specialTokens }: { readonly template: ChatTemplate; readonly specialTokens: readonly string[] },
): RenderedChat {
  const everything = jsonText([messages, tools, variables]) + template.source;
  const { mask, unmask } = maskSpecialTokens(specialTokens, everything);
  const marks = marksFor(everything);
  const maskedTools = tools?.map(mask);
  // transformers passes null for what is not given.
  const given = { documents: null, ...(variables && mask(variables)) };
  const addGenerationPrompt = messages.at(-1)?.role !== 'assistant';
  const write = (turns: readonly ChatMessage[], toolList: readonly Json[] | undefined, trackReads = false) =>
    template.write({
      messages: turns,
      tools: toolList ?? null,
      variables: given,
      addGenerationPrompt,
      trackReads,
    });
  const writeTurns = (turns: readonly ChatMessage[]): WrittenTurns => {
    const chat = write(turns, maskedTools);
    const render = (marked: readonly ChatMessage[], markedTools: readonly Json[] | undefined) =>
      write(marked, markedTools).text;
    return { turns, chat, shown: shownIn(chat.text, { turns, tools: maskedTools, marks, render }) };
  };
  const written = writeCalls(
    messages.map((message) => withReasoning(mask(message))),
    writeTurns,
  );
  let read: ReadonlySet<string> | undefined;
  return {
    ...written,
    write: (turns, prompt) =>
      template.write({
        messages: turns,
        tools: maskedTools ?? null,
        variables: given,
        addGenerationPrompt: prompt,
      }).text,
    isRead: (turn, field) => {
      // Only rows with such fields pay for another rendering.
      read ??= write(written.turns, maskedTools, true).read ?? new Set();
      const pointer = `/messages/${turn}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return read.has(pointer);
    },
    unmask,
  };
}

/** The reasoning under all names that templates read, as transformers 5 passes it. */
function withReasoning(message: ChatMessage): ChatMessage {
  const name = reasoningFields.find((field) => message[field] !== undefined);
  const reasoning = name === undefined ? undefined : message[name];
  return reasoning === undefined
    ? message
    : { thinking: reasoning, ...message, reasoning_content: reasoning };
}
