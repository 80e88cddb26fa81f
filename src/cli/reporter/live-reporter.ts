import { EventEmitter, once } from 'node:events';
import type { ListrTaskWrapper } from 'listr2';
import type { RunEvent, StageReport } from '../../runtime/index.ts';
import { formatDuration } from '../terminal/format-number.ts';
import { wrapText } from '../terminal/layout.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { describeFailure, endVerb } from './describe-failure.ts';
import {
  advance,
  downloadReport,
  isSourceEvent,
  noteText,
  type Progress,
  progressBar,
  progressText,
  type Reporter,
  remoteProblemText,
  reusedText,
  type SourceEvent,
  waitText,
} from './reporter.ts';

/** A list that redraws itself: one line for all reused stages and one for each stage that runs, then the warnings. */
export class LiveReporter implements Reporter {
  readonly #terminal: Terminal;
  readonly #now: () => number;
  readonly #rows = new Map<string, LiveRow>();
  readonly #progress = new Map<string, Progress>();
  readonly #reused: string[] = [];
  readonly #warnings: string[] = [];
  readonly #reusedRow = new LiveRow();
  readonly #noticeRow = new LiveRow();
  readonly #sources: LiveSources;
  #nameWidth = 0;
  #list: Promise<unknown> | undefined;

  constructor({ terminal, now }: { terminal: Terminal; now: () => number }) {
    this.#terminal = terminal;
    this.#now = now;
    this.#sources = new LiveSources({ terminal, now });
  }

  readonly handle = (event: RunEvent): void => {
    if (isSourceEvent(event)) {
      this.#sources.handle(event);
      return;
    }
    switch (event.type) {
      case 'run-started':
        this.#nameWidth = Math.max(...event.stages.map((stage) => stage.length));
        for (const stage of event.stages) this.#rows.set(stage, new LiveRow());
        break;
      case 'stage-reused':
        this.#reused.push(event.stage);
        this.#reusedRow.show(reusedText(this.#reused));
        break;
      case 'stage-started':
        this.#list ??= this.#open();
        this.#progress.delete(event.stage);
        this.#show(event.stage, this.#dim(safeLine(event.reason)));
        break;
      case 'stage-report':
        this.#report(event.stage, event.report);
        break;
      case 'stage-finished':
        this.#end(event.stage, { text: this.#dim(formatDuration(event.milliseconds)), outcome: 'done' });
        break;
      case 'stage-retried':
        this.#rows.get(event.stage)?.note(`retrying: ${safeLine(describeFailure(event.failure).message)}`);
        break;
      case 'stage-failed':
        this.#end(event.stage, { text: endVerb(event.failure), outcome: 'failed' });
        break;
      case 'stage-skipped':
        this.#end(event.stage, { text: this.#dim(safeLine(event.because)), outcome: 'skipped' });
        break;
      case 'remote-problem':
        this.#warnings.push(remoteProblemText(event));
        break;
      case 'run-finished':
        this.#endAll();
        break;
      default:
        event satisfies never;
    }
  };

  readonly notice = (text: string): void => {
    if (this.#list) this.#noticeRow.show(text);
    else this.#terminal.complain(text);
  };

  readonly close = async (): Promise<void> => {
    this.#endAll();
    await this.#sources.drawn;
    await this.#list;
    const { colors, columns, print } = this.#terminal;
    for (const text of this.#warnings) print(wrapText(`${colors.yellow('warning')} ${text}`, { columns }));
  };

  /** listr2 is loaded only once a stage has to run. */
  async #open(): Promise<void> {
    await this.#sources.drawn;
    const { Listr } = await import('listr2');
    const rows = [this.#reusedRow, ...this.#rows.values(), this.#noticeRow];
    await new Listr(
      rows.map(({ task }) => ({ task, rendererOptions: { bottomBar: 1 } })),
      { concurrent: true, ...listOptions },
    ).run();
  }

  #report(stage: string, report: StageReport): void {
    if (report.type === 'note') {
      const text = `${stage}: ${safeLine(noteText(report))}`;
      if (report.level === 'warning') this.#warnings.push(text);
      else this.#rows.get(stage)?.note(text);
      return;
    }
    const at = this.#now();
    const progress = advance(this.#progress.get(stage), { report, at });
    this.#progress.set(stage, progress);
    const bar = this.#terminal.colors.cyan(progressBar(report, barWidth(this.#terminal.columns)));
    this.#show(stage, `${bar === '' ? '' : `${bar} `}${progressText(progress, at)}`);
  }

  #show(stage: string, text: string): void {
    this.#rows.get(stage)?.show(`${stage.padEnd(this.#nameWidth)}  ${text}`);
  }

  #end(stage: string, { text, outcome }: { text: string; outcome: Outcome }): void {
    this.#show(stage, text);
    this.#rows.get(stage)?.end(outcome);
  }

  #dim(text: string): string {
    return this.#terminal.colors.dim(text);
  }

  #endAll(): void {
    for (const row of [this.#reusedRow, ...this.#rows.values()]) row.end('done');
    this.#noticeRow.end('skipped');
  }
}

const listOptions = {
  exitOnError: false,
  registerSignalListeners: false,
  rendererOptions: { formatOutput: 'truncate', collapseErrors: false, showErrorMessage: false },
} as const;

/** A narrow terminal has room for the figures only. */
const barWidth = (columns: number): number => (columns >= 72 ? 16 : columns >= 56 ? 8 : 0);

type ListrRow = Pick<ListrTaskWrapper<unknown, never, never>, 'title' | 'output' | 'skip'>;
type Outcome = 'done' | 'failed' | 'skipped';

/** One line of the live list: invisible until it has a title. It may be changed before the list is drawn. */
class LiveRow {
  readonly #events = new EventEmitter();
  readonly #notes: string[] = [];
  #row: ListrRow | undefined;
  #title: string | undefined;
  #outcome: Outcome | undefined;

  /** The task that listr2 runs: it lasts until the row ends. */
  readonly task = async (_context: unknown, row: ListrRow): Promise<void> => {
    this.#row = row;
    if (this.#title !== undefined) row.title = this.#title;
    for (const note of this.#notes) row.output = note;
    if (this.#outcome === undefined) await once(this.#events, 'end');
    if (this.#outcome === 'skipped') row.skip(this.#title);
    if (this.#outcome === 'failed') throw new Error(this.#title);
  };

  show(title: string): void {
    this.#title = title;
    if (this.#row) this.#row.title = title;
  }

  note(text: string): void {
    if (this.#row) this.#row.output = text;
    else this.#notes.push(text);
  }

  end(outcome: Outcome): void {
    this.#outcome ??= outcome;
    this.#events.emit('end');
  }
}

/** The lines of remote sources, which are fetched before the stages: one at a time, each in its own list. */
class LiveSources {
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
        this.#row.show(`${name}  ${progressText(this.#progress, at)}`);
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
