import process from 'node:process';
import { exitCode } from './exit-code.ts';
import type { Terminal } from './terminal/terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const SHOW_CURSOR = '\u001b[?25h';

interface Listening {
  readonly terminal: Pick<Terminal, 'interactive'>;
  readonly notice: (text: string) => void;
}

/** Turns Ctrl-C into an orderly stop, and a second one into an immediate end. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #listening: Listening;

  private constructor(listening: Listening) {
    this.#listening = listening;
  }

  /** Listens until it is disposed of. */
  static listen(listening: Listening): Interruption {
    const interruption = new Interruption(listening);
    for (const signal of SIGNALS) process.on(signal, interruption.#stop);
    return interruption;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly #stop = (): void => {
    if (this.signal.aborted) {
      if (this.#listening.terminal.interactive) process.stdout.write(SHOW_CURSOR);
      process.exit(exitCode.interrupted);
    }
    this.#listening.notice('Stopping; finished stages are kept. Press Ctrl-C again to stop at once.');
    this.#controller.abort();
  };

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
  }
}
