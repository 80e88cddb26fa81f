import { formatDuration } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { LiveRow, listOptions, MARK } from './live-row.ts';
import {
  advance,
  downloadReport,
  type Progress,
  progressText,
  type SourceEvent,
  waitText,
} from './reporter.ts';

/** The lines of remote sources, which are fetched before the stages: one at a time, each in its own list. */
export class LiveSources {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #row = new LiveRow();
  #progress: Progress | undefined;
  /** Resolves when every line so far has been drawn for the last time. */
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
        const columns = this.#terminal.columns - MARK - name.length - 2;
        this.#row.show(`${name}  ${progressText(this.#progress, { now: at, columns })}`);
        break;
      }
      case 'source-waiting':
        this.#row.show(`${name}  ${waitText(event)}`);
        break;
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
      await new Listr([{ task: row.task }], listOptions).run();
    });
  }
}
