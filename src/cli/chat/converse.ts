import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { UserError } from '../../core/index.ts';
import { CachedDecoder, type GeneratedText, type GenerationSettings, streamText } from '../../model/index.ts';
import type { LocalModel } from '../../stages/index.ts';
import { type ChatMessage, type ChatPrompt, startToken } from '../../text/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { errorText, safeText } from '../terminal/safe-text.ts';
import { StreamWrapper } from '../terminal/wrap-text.ts';

interface Conversation {
  readonly session: Pick<ChatSession, 'ask' | 'reset' | 'setSystem'>;
  readonly context: Pick<CommandContext, 'terminal' | 'input'>;
  readonly json: boolean;
}

const help = '/reset forgets the conversation, /system <text> sets the system message, /exit leaves.';

/**
 * Answers messages until the input ends. In a terminal answers stream, and Ctrl-C stops an answer or, between answers,
 * leaves. Otherwise every line is a message and its answer is printed whole.
 */
export async function converse(conversation: Conversation): Promise<void> {
  const { context, json } = conversation;
  const typed = context.terminal.interactive && 'isTTY' in context.input && context.input.isTTY === true;
  const streams = typed && !json;
  const reader = streams
    ? createInterface({ input: context.input, output: process.stdout, prompt: '> ' })
    : createInterface({ input: context.input, terminal: false });
  if (streams) context.terminal.complain(`${help} Ctrl-C stops an answer.`);
  let answering: AbortController | undefined;
  reader.on('SIGINT', () => (answering ? answering.abort() : reader.close()));
  if (streams) reader.prompt();
  for await (const line of reader) {
    if (line.trim() === '/exit') break;
    answering = new AbortController();
    await answerLine(line.trim(), { ...conversation, streams, signal: answering.signal });
    answering = undefined;
    if (isOpen(reader) && streams) reader.prompt();
  }
  reader.close();
}

const isOpen = (reader: Interface & { closed?: boolean }): boolean => reader.closed !== true;

interface Answering extends Conversation {
  readonly streams: boolean;
  readonly signal: AbortSignal;
}

async function answerLine(line: string, answering: Answering): Promise<void> {
  const { session, context } = answering;
  if (line === '') return;
  if (line === '/reset') return session.reset();
  if (line === '/system' || line.startsWith('/system '))
    return session.setSystem(line.slice('/system'.length).trim());
  if (/^\/(help|\?)$/.test(line)) return context.terminal.complain(help);
  try {
    await answer(line, answering);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    context.terminal.complain(errorText(error));
  }
}

async function answer(text: string, { session, context, json, streams, signal }: Answering): Promise<void> {
  const { terminal } = context;
  let shown = '';
  const wrapper = new StreamWrapper(terminal);
  const onText = (soFar: string) => {
    const safe = safeText(soFar);
    // What was shown stays. A text only grows, except where its last character was incomplete.
    if (!streams || !safe.startsWith(shown)) return;
    wrapper.push(safe.slice(shown.length));
    shown = safe;
  };
  const { text: response, finishReason, tokens } = await session.ask({ text, signal, onText });
  if (json)
    return terminal.print(JSON.stringify({ prompt: text, response, finish_reason: finishReason, tokens }));
  if (!streams) return terminal.print(safeText(response).trim());
  wrapper.push(safeText(response).slice(shown.length));
  wrapper.end();
  terminal.print('');
}

interface ChatSessionOptions {
  readonly local: LocalModel;
  readonly prompt: ChatPrompt;
  readonly settings: GenerationSettings;
  readonly system: string | undefined;
}

/** A conversation with a model: every answer is a reply to all messages so far. */
export class ChatSession implements Disposable {
  readonly #options: ChatSessionOptions;
  readonly #decoder: CachedDecoder;
  #system: string | undefined;
  #messages: readonly ChatMessage[] = [];

  constructor(options: ChatSessionOptions) {
    this.#options = options;
    this.#decoder = new CachedDecoder(options.local.model);
    this.#system = options.system;
  }

  [Symbol.dispose](): void {
    this.#decoder[Symbol.dispose]();
  }

  /** Forgets all messages but the system message. */
  reset(): void {
    this.#messages = [];
  }

  /** Starts over with another system message, or with none. */
  setSystem(system: string): void {
    this.#system = system === '' ? undefined : system;
    this.reset();
  }

  /** Answers a message. A stopped answer is kept as far as it got; a message that fails is forgotten. */
  async ask({
    text,
    signal,
    onText,
  }: {
    readonly text: string;
    readonly signal: AbortSignal;
    readonly onText: (text: string) => void;
  }): Promise<GeneratedText> {
    const { local, prompt, settings } = this.#options;
    const messages = [...this.#messages, { role: 'user', content: text }];
    const opening = this.#system === undefined ? [] : [{ role: 'system', content: this.#system }];
    const written = await streamText({
      decoder: this.#decoder,
      tokenizer: local.tokenizer,
      prompt: prompt.write([...opening, ...messages]),
      start: startToken(local.tokenizer, { bos: 'auto', isChat: prompt.isChat }),
      settings,
      signal,
      onText,
    });
    this.#messages = [...messages, { role: 'assistant', content: written.text.trim() }];
    return written;
  }
}
