import process from 'node:process';
import { UserError } from '../../core/index.ts';
import type { ChatAnswer, ChatRequest } from '../../server/index.ts';
import type { ChatSession } from './chat-session.ts';

/**
 * Serves one conversation to the parent process, which shows it in a page. A model in a process of its own gives its memory
 * back when the conversation is closed, and cannot take the server down with it.
 */
export function serveChat(): void {
  let session: ChatSession | undefined;
  let answering: AbortController | undefined;
  const send = (answer: ChatAnswer): void => void process.send?.(answer);
  const open = async ({ folder, template, system, settings }: Extract<ChatRequest, { type: 'open' }>) => {
    const { openChatSession } = await import('./chat-session.ts');
    const notes: string[] = [];
    session = await openChatSession({
      folder,
      template,
      system,
      settings,
      onNote: (note) => notes.push(note),
    });
    send({ type: 'ready', notes });
  };
  const ask = async (text: string) => {
    answering = new AbortController();
    const { signal } = answering;
    const answer = await session?.ask({
      text,
      signal,
      onText: (soFar) => send({ type: 'text', text: soFar }),
    });
    answering = undefined;
    if (answer !== undefined)
      send({
        type: 'answer',
        text: answer.text.trim(),
        finishReason: signal.aborted ? 'stopped' : answer.finishReason,
        tokens: answer.tokens,
      });
  };
  const handle = async (request: ChatRequest): Promise<void> => {
    switch (request.type) {
      case 'open':
        return open(request);
      case 'ask':
        return ask(request.text);
      case 'stop':
        return answering?.abort();
      case 'reset':
        return session?.reset();
      default:
        return request satisfies never;
    }
  };
  process.on('message', (request: ChatRequest) => {
    handle(request).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error);
      send({
        type: 'error',
        message,
        ...(error instanceof UserError && error.help ? { help: error.help } : {}),
      });
    });
  });
  process.on('disconnect', () => process.exit());
  // The parent decides when it ends, whoever presses Ctrl-C.
  process.on('SIGINT', () => {});
}
