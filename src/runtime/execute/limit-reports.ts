import type { StageReport } from '../stage/stage-definition.ts';
import { parseReport } from './stage-message.ts';

const millisecondsBetween = 50;

/** Passes on at most one value every 50 ms and drops the others. */
export function throttled<Value>(report: (value: Value) => void): (value: Value) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (value) => {
    const now = performance.now();
    if (now - last < millisecondsBetween) return;
    last = now;
    report(value);
  };
}

/** More than anyone can read. */
const notesEachSecond = 100;
/** The characters of a note that are shown: a line of a program's output, or a warning. */
const shownOf = { info: 2000, warning: 20_000 };

type Note = Extract<StageReport, { readonly type: 'note' }>;

interface Reports {
  readonly report: (report: StageReport) => void;
  /** Reports what was held back. */
  readonly flush: () => void;
}

/**
 * Limits what a stage reports to what can be shown, however much that is: progress to every 50 ms, notes to 100 a second,
 * of which the others are counted. The log takes all notes.
 */
export function limitReports(to: {
  readonly report: (report: StageReport) => void;
  readonly log?: ((text: string) => unknown) | undefined;
}): Reports {
  let held: StageReport | undefined;
  const flushProgress = (): void => {
    if (held !== undefined) to.report(held);
    held = undefined;
  };
  const reportProgress = throttled((progress: StageReport) => {
    held = undefined;
    to.report(progress);
  });
  const notes = limitNotes(to);
  return {
    flush: () => {
      flushProgress();
      notes.flush();
    },
    report: (reported) => {
      // A user's stage may report anything, which must fail nothing else.
      const report = parseReport(reported);
      if (report === undefined)
        throw new TypeError('a report is { type: note, level, message } or { type: progress, done, unit }');
      if (report.type === 'note') {
        flushProgress();
        notes.report(report);
      } else {
        held = report;
        reportProgress(report);
      }
    },
  };
}

function limitNotes({ report, log }: Parameters<typeof limitReports>[0]): {
  readonly report: (note: Note) => void;
  readonly flush: () => void;
} {
  let second = 0;
  // Counted separately, so that no burst of lines hides a warning.
  let shown = { info: 0, warning: 0 };
  let leftOut = 0;
  let timer: NodeJS.Timeout | undefined;
  let logged = '';
  const flushLog = (): void => {
    if (logged !== '') log?.(logged);
    logged = '';
  };
  const countLeftOut = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (leftOut === 0) return;
    const message = `${leftOut} more lines${log === undefined ? '' : ', which are in the log'}`;
    leftOut = 0;
    report({ type: 'note', level: 'info', message });
  };
  const addToLog = (text: string): void => {
    if (logged === '') setImmediate(flushLog);
    logged += text;
    if (logged.length > 2 ** 16) flushLog();
  };
  return {
    report: (note) => {
      if (log !== undefined) addToLog(`${note.message}\n`);
      const now = Math.floor(performance.now() / 1000);
      if (now !== second) {
        countLeftOut();
        [second, shown] = [now, { info: 0, warning: 0 }];
      }
      if (shown[note.level] < notesEachSecond) {
        shown[note.level] += 1;
        report({ ...note, message: cut(note) });
      } else {
        leftOut += 1;
        // The stage may write nothing more for a long time.
        timer ??= setTimeout(countLeftOut, 1000).unref();
      }
    },
    flush: () => {
      flushLog();
      countLeftOut();
    },
  };
}

const cut = ({ message, level }: Note): string =>
  message.length > shownOf[level] ? `${message.slice(0, shownOf[level])}…` : message;
