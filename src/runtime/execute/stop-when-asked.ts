import type { Failure } from '../event/failure.ts';

interface Stop {
  readonly signal: AbortSignal;
  readonly timeoutMs: number | undefined;
  readonly graceMilliseconds: number;
  /** Asks the stage to end. */
  readonly ask: () => void;
  /** Makes an end of it: it had its grace time. */
  readonly force: () => void;
}

/** Watches over a stage at work, until disposed: asks it to stop at an interruption or when its time is over. */
export function stopWhenAsked({ signal, timeoutMs, graceMilliseconds, ask, force }: Stop): Disposable & {
  /** Why it was asked to stop, if it was. */
  readonly cause: () => Failure | undefined;
} {
  let cause: Failure | undefined;
  const timers: NodeJS.Timeout[] = [];
  const stop = (why: Failure): void => {
    if (cause !== undefined) return;
    cause = why;
    timers.push(setTimeout(force, graceMilliseconds));
    ask();
  };
  const interrupt = (): void => stop({ kind: 'interrupted' });
  if (signal.aborted) interrupt();
  signal.addEventListener('abort', interrupt);
  if (timeoutMs !== undefined) {
    timers.push(setTimeout(() => stop({ kind: 'timeout', milliseconds: timeoutMs }), timeoutMs));
  }
  return {
    cause: () => cause,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', interrupt);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
