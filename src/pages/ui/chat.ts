import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { ChatAnswer } from '../../server/index.ts';
import { RequestError, send, stream } from './api.ts';

export interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** Why an answer ended; absent while it is written. */
  readonly ended?: Extract<ChatAnswer, { type: 'answer' }>['finishReason'];
}

interface ChatOf {
  readonly run: string;
  readonly stage: string;
  readonly settings: {
    readonly system: string;
    /** Instead of the one that the model was tuned on; empty for that. */
    readonly template: string;
    readonly maxNewTokens: number;
    readonly temperature: number;
    readonly topP: number;
    readonly seed: number;
  };
}

/** A conversation with the model of a run. The model is loaded with the first message, and let go when the page is left. */
export function useChat(of: ChatOf | undefined) {
  const [turns, setTurns] = useState<readonly Turn[]>([]);
  const [state, setState] = useState<'closed' | 'loading' | 'ready' | 'answering'>('closed');
  const [error, setError] = useState<RequestError | undefined>(undefined);
  const [said, setSaid] = useState('');
  const chat = useRef<string | undefined>(undefined);
  const answering = useRef<AbortController | undefined>(undefined);
  const name = JSON.stringify(of);

  const close = useCallback(() => {
    answering.current?.abort();
    const open = chat.current;
    chat.current = undefined;
    // Sent even while the page is being closed.
    if (open !== undefined)
      void fetch(`api/chats/${open}/close`, { method: 'POST', keepalive: true }).catch(() => undefined);
  }, []);

  useEffect(() => {
    setTurns([]);
    setError(undefined);
    setSaid('');
    setState('closed');
    addEventListener('pagehide', close);
    return () => {
      removeEventListener('pagehide', close);
      close();
    };
  }, [name]);

  const ask = async (text: string): Promise<void> => {
    if (of === undefined) return;
    setError(undefined);
    setSaid('');
    setTurns((before) => [...before, { role: 'user', content: text }]);
    const write = (content: string, ended?: Turn['ended']): void =>
      setTurns((before) => {
        const last = before.at(-1);
        const earlier = last?.role === 'assistant' ? before.slice(0, -1) : before;
        return [...earlier, { role: 'assistant', content, ...(ended === undefined ? {} : { ended }) }];
      });
    const controller = new AbortController();
    answering.current = controller;
    const { signal } = controller;
    try {
      if (chat.current === undefined) {
        setState('loading');
        const { run, stage, settings } = of;
        const { system, template, ...others } = settings;
        const opened = await send<{ chat: string; notes: readonly string[] }>('POST', 'chats', {
          ...{ run, stage, output: 'model', system, template },
          settings: { ...others, minP: 0, repetitionPenalty: 1 },
        });
        if (signal.aborted) {
          void send('POST', `chats/${opened.chat}/close`).catch(() => undefined);
          return;
        }
        chat.current = opened.chat;
        setSaid(opened.notes.join('; '));
      }
      setState('answering');
      await stream(
        `chats/${chat.current}/ask`,
        { text },
        {
          signal,
          onEvent: (event, data) => {
            if (event === 'text') write(data as string);
            if (event === 'answer') {
              const answer = data as Extract<ChatAnswer, { type: 'answer' }>;
              write(answer.text, answer.finishReason);
              setSaid(`${answer.tokens} tokens`);
            }
            if (event === 'failed') {
              const { message, help } = data as { message: string; help?: string };
              setError(new RequestError(message, help));
            }
          },
        },
      );
    } catch (problem) {
      if (!signal.aborted) setError(problem as RequestError);
    } finally {
      if (!signal.aborted) setState(chat.current === undefined ? 'closed' : 'ready');
    }
  };

  return {
    turns,
    state,
    error,
    said,
    ask: (text: string): void => void ask(text),
    stop: (): void => {
      if (chat.current !== undefined) void send('POST', `chats/${chat.current}/stop`).catch(() => undefined);
    },
    reset: (): void => {
      setTurns([]);
      setSaid('');
      setError(undefined);
      if (chat.current !== undefined) send('POST', `chats/${chat.current}/reset`).catch(setError);
    },
    /** Adds the conversation to the pipeline's file of rows. */
    keep: (model: string): void => {
      const system = of?.settings.system.trim();
      const opening = system ? [{ role: 'system', content: system }] : [];
      const messages = [...opening, ...turns.map(({ role, content }) => ({ role, content }))];
      send<{ file: string }>('POST', 'chats/keep', { run: of?.run, model, messages }).then(
        ({ file }) => setSaid(`Kept in ${file}`),
        setError,
      );
    },
  };
}
