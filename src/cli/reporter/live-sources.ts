import { formatDuration } from '../terminal/format-duration.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { LiveRow } from './live-row.ts';
import { advance, type Progress, progressText } from './progress.ts';
import { downloadReport, type SourceEvent } from './source-event.ts';

/** The lines of the remote sources that come in before the stages: one at a time, each in a list of its own. */
export class LiveSources {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #row = new LiveRow();
  #progress: Progress | undefined;
  /** Ends when every line so far has been drawn for good. */
  drawn: Promise<unknown> = Promise.resolve();

  constructor({ terminal, now }: { terminal: Terminal; now: () => number }) {
    this.#terminal = terminal;
    this.#now = now;
  }

  handle(event: SourceEvent): void {
    const name = safeLine(event.source);
    const { dim } = this.#terminal.colors;
    switch (event.type) {
      case 'source-started':
        this.#open(name);
        break;
      case 'source-progress': {
        const at = this.#now();
        this.#progress = advance(this.#progress, { report: downloadReport(event), at });
        this.#row.show(`${name}  ${progressText(this.#progress, at)}`);
        break;
      }
      case 'source-finished':
        this.#row.show(`${name}  ${dim(formatDuration(event.milliseconds))}`);
        this.#row.end('done');
        break;
      case 'source-failed':
        this.#row.end('failed');
        break;
      default:
        event satisfies never;
    }
  }

  #open(name: string): void {
    const row = new LiveRow();
    row.show(name);
    this.#row = row;
    this.#progress = undefined;
    const before = this.drawn;
    this.drawn = before.then(async () => {
      const { Listr } = await import('listr2');
      await new Listr([{ task: row.task }], {
        exitOnError: false,
        registerSignalListeners: false,
        rendererOptions: { formatOutput: 'truncate', collapseErrors: false, showErrorMessage: false },
      }).run();
    });
  }
}
