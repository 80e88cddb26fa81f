import type { RunEvent, StageReport } from '../../runtime/index.ts';
import { formatDuration } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { shortLine, wrapText } from '../terminal/wrap-text.ts';
import { describeFailure, endVerb } from './describe-failure.ts';
import { LiveRow, listOptions, MARK, NOTE_MARK, type Outcome } from './live-row.ts';
import { LiveSources } from './live-sources.ts';
import {
  advance,
  isSourceEvent,
  noteText,
  type Progress,
  progressLine,
  type Reporter,
  remoteProblemText,
  reusedText,
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
        this.#nameWidth = Math.min(
          Math.max(...event.stages.map((stage) => stage.length)),
          Math.floor(this.#terminal.columns * WIDEST_NAMES),
        );
        for (const stage of event.stages) this.#rows.set(stage, new LiveRow());
        break;
      case 'stage-reused':
        this.#reused.push(event.stage);
        this.#reusedRow.show(reusedText(this.#reused, this.#terminal.columns - MARK));
        break;
      case 'stage-started':
        this.#list ??= this.#open();
        this.#progress.delete(event.stage);
        this.#show(event.stage, this.#dim(this.#short(event.stage, event.reason)));
        break;
      case 'stage-report':
        this.#report(event.stage, event.report);
        break;
      case 'stage-finished':
        this.#end(event.stage, { text: this.#dim(formatDuration(event.milliseconds)), outcome: 'done' });
        break;
      case 'stage-retried':
        this.#note(event.stage, `retrying: ${describeFailure(event.failure).message}`);
        break;
      case 'stage-failed':
        this.#end(event.stage, {
          text: endVerb(event.failure),
          // Whoever presses Ctrl-C knows that the stage did not fail.
          outcome: event.failure.kind === 'interrupted' ? 'skipped' : 'failed',
        });
        break;
      case 'stage-skipped':
        this.#end(event.stage, {
          text: this.#dim(this.#short(event.stage, event.because)),
          outcome: 'skipped',
        });
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
      else this.#note(stage, text);
      return;
    }
    const at = this.#now();
    const progress = advance(this.#progress.get(stage), { report, at });
    this.#progress.set(stage, progress);
    const { colors } = this.#terminal;
    this.#show(stage, progressLine(progress, { now: at, columns: this.#roomOf(stage), colors }));
  }

  /** One line of a text beside a stage's name. */
  #short(stage: string, text: string): string {
    return shortLine(safeLine(text), this.#roomOf(stage));
  }

  #roomOf(stage: string): number {
    return this.#terminal.columns - MARK - Math.max(this.#nameWidth, stage.length) - 2;
  }

  #note(stage: string, text: string): void {
    this.#rows.get(stage)?.note(shortLine(safeLine(text), this.#terminal.columns - NOTE_MARK));
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

/** The share of a line that the column of names may take; a longer name goes beyond it. */
const WIDEST_NAMES = 0.4;
