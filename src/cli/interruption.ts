import process from 'node:process';
import { exitCode } from './exit-code.ts';
import type { Terminal } from './terminal/terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const SHOW_CURSOR = '\u001b[?25h';

interface Listener {
  readonly terminal: Pick<Terminal, 'interactive'>;
  readonly notice: (text: string) => void;
}

/** Turns Ctrl-C into a clean stop, and a second Ctrl-C into an immediate end. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #listener: Listener;

  private constructor(listener: Listener) {
    this.#listener = listener;
  }

  /** Listens until it is disposed of. */
  static listen(listener: Listener): Interruption {
    const interruption = new Interruption(listener);
    for (const signal of SIGNALS) process.on(signal, interruption.#stop);
    return interruption;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #stop = (): void => {
    if (this.signal.aborted) {
      if (this.#listener.terminal.interactive) process.stdout.write(SHOW_CURSOR);
      process.exit(exitCode.interrupted);
    }
    this.#listener.notice('Stopping; finished stages are kept. Press Ctrl-C again to stop immediately.');
    this.#controller.abort();
  };

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
  }
}
