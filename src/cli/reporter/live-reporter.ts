import type { RunEvent } from '../../runtime/event/run-event.ts';
import type { StageReport } from '../../runtime/stage/stage-definition.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { wrapText } from '../terminal/wrap-text.ts';
import { describeFailure, endVerb } from './describe-failure.ts';
import { LiveRow } from './live-row.ts';
import { LiveSources } from './live-sources.ts';
import { advance, type Progress, progressBar, progressText } from './progress.ts';
import type { Reporter } from './reporter.ts';
import { reusedText } from './reused-text.ts';
import { isSourceEvent } from './source-event.ts';

/** A list that redraws itself: one line for all reused stages, one for each stage that runs; then the warnings. */
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
        this.#show(event.stage, this.#dim(formatDuration(event.milliseconds)));
        this.#rows.get(event.stage)?.end('done');
        break;
      case 'stage-retried':
        this.#rows
          .get(event.stage)
          ?.note(`trying again: ${safeLine(describeFailure(event.failure).message)}`);
        break;
      case 'stage-failed':
        this.#show(event.stage, endVerb(event.failure));
        this.#rows.get(event.stage)?.end('failed');
        break;
      case 'stage-skipped':
        this.#show(event.stage, this.#dim(safeLine(event.because)));
        this.#rows.get(event.stage)?.end('skipped');
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
      {
        concurrent: true,
        exitOnError: false,
        registerSignalListeners: false,
        rendererOptions: { formatOutput: 'truncate', collapseErrors: false, showErrorMessage: false },
      },
    ).run();
  }

  #report(stage: string, report: StageReport): void {
    if (report.type === 'note') {
      const text = `${stage}: ${safeLine(report.message)}`;
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

  #dim(text: string): string {
    return this.#terminal.colors.dim(text);
  }

  #endAll(): void {
    for (const row of [this.#reusedRow, ...this.#rows.values()]) row.end('done');
    this.#noticeRow.end('skipped');
  }
}

/** In a narrow terminal the figures say more than a bar. */
const barWidth = (columns: number): number => (columns >= 72 ? 16 : columns >= 56 ? 8 : 0);
