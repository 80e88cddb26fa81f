import process from 'node:process';
import { type ExitCode, exitCode } from './exit-code.ts';
import type { Terminal } from './terminal/terminal.ts';

/** The signals that end a command, with its exit code. */
const CODES = {
  SIGINT: exitCode.interrupted,
  SIGTERM: exitCode.terminated,
  SIGHUP: exitCode.hungUp,
  SIGQUIT: exitCode.quit,
} as const;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
const SHOW_CURSOR = '\u001b[?25h';

interface Listener {
  readonly terminal: Pick<Terminal, 'interactive'>;
  readonly notice: (text: string) => void;
}

/** Turns Ctrl-C, or another signal that ends a command, into a clean stop, and a second one into an immediate end. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #listener: Listener;
  #code: ExitCode = exitCode.interrupted;

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

  /** The exit code of a command that was stopped. */
  get code(): ExitCode {
    return this.#code;
  }

  readonly #stop = (signal: (typeof SIGNALS)[number]): void => {
    if (this.signal.aborted) {
      if (this.#listener.terminal.interactive) process.stdout.write(SHOW_CURSOR);
      process.exit(this.#code);
    }
    this.#code = CODES[signal];
    this.#listener.notice('Stopping; finished stages are kept. Press Ctrl-C again to stop immediately.');
    this.#controller.abort();
  };

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop);
  }
}
