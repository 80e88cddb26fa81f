import { streamText } from '../../model/generation/stream-text.ts';
import { TextReader } from '../../model/generation/text-reader.ts';
import type { WritingSettings, WrittenText } from '../../model/generation/text-writer.ts';
import type { LocalModel } from '../../stages/models/open-local-model.ts';
import type { ChatMessage } from '../../text/chat/chat-message.ts';
import type { ChatPrompt } from '../../text/chat/chat-prompts.ts';

export interface ChatSessionOptions {
  readonly local: LocalModel;
  readonly prompt: ChatPrompt;
  readonly settings: WritingSettings;
  readonly system: string | undefined;
}

interface Question {
  readonly text: string;
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
}

/** A conversation with a model: what was said so far, which every answer follows from. */
export class ChatSession {
  readonly #options: ChatSessionOptions;
  readonly #reader: TextReader;
  #system: string | undefined;
  #messages: readonly ChatMessage[] = [];

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#reader = new TextReader(options.local.model);
    this.#system = options.system;
  }

  /** Forgets what was said, but not the system message. */
  reset(): void {
    this.#messages = [];
  }

  /** Begins anew with another system message, or with none. */
  setSystem(system: string): void {
    this.#system = system === '' ? undefined : system;
    this.reset();
  }

  /** An answer that was stopped counts as far as it came; a question that cannot be answered was not asked. */
  async ask({ text, signal, onText }: Question): Promise<WrittenText> {
    const { local, prompt, settings } = this.#options;
    const asked = [...this.#messages, { role: 'user', content: text }];
    const opening = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }];
    const given = prompt([...opening, ...asked]);
    const written = await streamText({
      ...local,
      reader: this.#reader,
      prompt: given,
      settings,
      signal,
      onText,
    });
    this.#messages = [...asked, { role: 'assistant', content: written.text.trim() }];
    return written;
  }
}
