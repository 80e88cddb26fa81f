import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { UserError } from '../../core/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import { errorText, safeText } from '../terminal/safe-text.ts';
import { StreamWrapper } from '../terminal/wrap-text.ts';
import type { ChatSession } from './chat-session.ts';

interface Conversation {
  readonly session: Pick<ChatSession, 'ask' | 'reset' | 'setSystem' | 'adapters' | 'useAdapter'>;
  readonly context: Pick<CommandContext, 'terminal' | 'input'>;
  readonly json: boolean;
}

const helpOf = ({ adapters }: Conversation['session']): string =>
  [
    '/reset forgets the conversation, /system <text> sets the system message,',
    ...(adapters.length > 0 ? [`/adapter <${[...adapters, 'none'].join('|')}> chooses who answers,`] : []),
    '/exit leaves.',
  ].join(' ');

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
  if (streams) context.terminal.complain(`${helpOf(conversation.session)} Ctrl-C stops an answer.`);
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
  if (line.startsWith('/adapter ')) {
    const name = line.slice('/adapter'.length).trim();
    if (!session.useAdapter(name)) context.terminal.complain(`there is no adapter ${safeText(name)}`);
    return;
  }
  if (/^\/(help|\?)$/.test(line)) return context.terminal.complain(helpOf(session));
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
