import type { RunEvent, StageReport } from '../../runtime/index.ts';
import { formatDuration } from '../terminal/format-number.ts';
import { safeLine, safeText } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { shortLine } from '../terminal/wrap-text.ts';
import { describeFailure, endVerb } from './describe-failure.ts';
import {
  advance,
  downloadReport,
  fewNames,
  isSourceEvent,
  noteText,
  type Progress,
  progressText,
  type Reporter,
  remoteProblemText,
  reusedText,
  type SourceEvent,
  waitText,
} from './reporter.ts';

const QUIET_MILLISECONDS = 5000;
/** The width of the column of verbs. */
const VERB = 9;

/** Lines for logs and CI: each stage's start and end, and its progress every few seconds. */
export class PlainReporter implements Reporter {
  readonly #print: (text: string) => void;
  readonly #columns: number;
  readonly #now: () => number;
  readonly #reused: string[] = [];
  readonly #skipped = new Map<string, string[]>();
  readonly #stages = new Map<string, { progress?: Progress; quietUntil: number }>();

  constructor({ terminal, now }: { terminal: Pick<Terminal, 'print' | 'columns'>; now: () => number }) {
    this.#print = terminal.print;
    this.#columns = terminal.columns;
    this.#now = now;
  }

  readonly handle = (event: RunEvent): void => {
    if (isSourceEvent(event)) {
      this.#source(event);
      return;
    }
    if (event.type !== 'stage-reused') this.#printReused();
    if (event.type !== 'stage-skipped') this.#printSkipped();
    switch (event.type) {
      case 'stage-started':
        this.#stages.set(event.stage, { quietUntil: this.#now() + QUIET_MILLISECONDS });
        this.#line('started', `${event.stage} (${safeLine(event.reason)})`);
        break;
      case 'stage-report':
        this.#report(event.stage, event.report);
        break;
      case 'stage-finished':
        this.#line('done', `${event.stage} in ${formatDuration(event.milliseconds)}`);
        break;
      case 'stage-retried':
        this.#line('retrying', `${event.stage}: ${describeFailure(event.failure).message}`);
        break;
      case 'stage-failed':
        this.#line(endVerb(event.failure), event.stage);
        break;
      case 'stage-reused':
        this.#reused.push(event.stage);
        break;
      case 'stage-skipped':
        this.#skipped.set(event.because, [...(this.#skipped.get(event.because) ?? []), event.stage]);
        break;
      case 'remote-problem':
        this.#line('warning', remoteProblemText(event));
        break;
      case 'run-started':
      case 'run-finished':
        break;
      default:
        event satisfies never;
    }
  };

  readonly notice = (text: string): void => this.#print(text);

  readonly close = async (): Promise<void> => {
    this.#printReused();
    this.#printSkipped();
  };

  #source(event: SourceEvent): void {
    const name = safeLine(event.source);
    switch (event.type) {
      case 'source-started':
        this.#stages.set(name, { quietUntil: this.#now() + QUIET_MILLISECONDS });
        this.#line('fetching', name);
        break;
      case 'source-progress':
        this.#report(name, downloadReport(event));
        break;
      case 'source-waiting':
        this.#line('waiting', `${name}: ${waitText(event)}`);
        break;
      case 'source-finished':
        this.#line('fetched', `${name} in ${formatDuration(event.milliseconds)}`);
        break;
      case 'source-failed':
        this.#line('failed', name);
        break;
      default:
        event satisfies never;
    }
  }

  #report(stage: string, report: StageReport): void {
    if (report.type === 'note') {
      this.#note(stage, report);
      return;
    }
    const at = this.#now();
    const state = this.#stages.get(stage) ?? { quietUntil: 0 };
    const progress = advance(state.progress, { report, at });
    const speaks = at >= state.quietUntil;
    this.#stages.set(stage, { progress, quietUntil: speaks ? at + QUIET_MILLISECONDS : state.quietUntil });
    // A log has room for all of it.
    if (speaks) this.#line('', `${stage}  ${progressText(progress, { now: at })}`);
  }

  /** A note takes one line, so that a log of many stays readable. A warning is printed whole. */
  #note(stage: string, note: Extract<StageReport, { type: 'note' }>): void {
    const message = noteText(note);
    if (note.level === 'warning') this.#line('warning', `${stage}: ${safeText(message)}`);
    else this.#print(shortLine(`${'note'.padEnd(VERB)}${stage}: ${safeLine(message)}`, this.#columns));
  }

  #printReused(): void {
    const stages = this.#reused.splice(0);
    if (stages.length > 0) this.#print(reusedText(stages, this.#columns));
  }

  #printSkipped(): void {
    for (const [because, stages] of this.#skipped) {
      const why = ` (${safeLine(because)})`;
      this.#line('skipped', `${fewNames(stages, this.#columns - VERB - why.length)}${why}`);
    }
    this.#skipped.clear();
  }

  #line(verb: string, text: string): void {
    this.#print(`${verb.padEnd(VERB)}${text}`);
  }
}
