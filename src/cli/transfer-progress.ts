import { formatBytes, formatCount, formatDuration } from './terminal/format-number.ts';
import type { Terminal } from './terminal/terminal.ts';

/** How far a transfer has come. The totals may grow. */
interface Transferred {
  readonly files: number;
  readonly totalFiles: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

/** Shows a transfer: a line that is redrawn on a terminal, else a line now and then on standard error. */
export interface TransferReporter {
  readonly report: (transferred: Transferred) => void;
  /** Resolves once the terminal is free again. */
  readonly close: () => Promise<void>;
}

const betweenLines = 10_000;
const betweenDrawings = 100;

/** `verb`: what happens, such as `sent`; `noun`: to what, in the plural. Shows nothing in the first second, and nothing for programs. */
export function openTransferReporter(
  terminal: Terminal,
  {
    verb,
    noun = 'files',
    json,
  }: { readonly verb: string; readonly noun?: string; readonly json: boolean | undefined },
): TransferReporter {
  if (json) return { report: () => {}, close: async () => {} };
  const begun = performance.now();
  let told = begun;
  let line: LiveLine | undefined;
  return {
    report(transferred) {
      const now = performance.now();
      if (now - told < (terminal.interactive ? betweenDrawings : betweenLines) || now - begun < 1000) return;
      told = now;
      const text = progressText(transferred, { verb, noun, milliseconds: now - begun });
      if (!terminal.interactive) {
        terminal.complain(text);
        return;
      }
      line ??= openLine();
      line.show(text);
    },
    close: async () => line?.close(),
  };
}

/** `sent 120 of 10,000 files, 1.2 MB of 100 MB, 8.3 MB/s, ETA 12.0 s` */
function progressText(
  { files, totalFiles, bytes, totalBytes }: Transferred,
  {
    verb,
    noun,
    milliseconds,
  }: { readonly verb: string; readonly noun: string; readonly milliseconds: number },
): string {
  const pace = (bytes / milliseconds) * 1000;
  const left =
    pace > 0 ? `, ${formatBytes(pace)}/s, ETA ${formatDuration(((totalBytes - bytes) / pace) * 1000)}` : '';
  return `${verb} ${formatCount(files)} of ${formatCount(totalFiles)} ${noun}, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}${left}`;
}

interface LiveLine {
  readonly show: (text: string) => void;
  readonly close: () => Promise<void>;
}

/** A line that listr2 redraws, and that it takes away at the end. It is loaded only once something is shown. */
function openLine(): LiveLine {
  let title = '';
  let setTitle: (text: string) => void = (text) => {
    title = text;
  };
  let end: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const drawn = import('listr2').then(({ Listr }) =>
    new Listr(
      [
        {
          title: ' ',
          task: (_, task) => {
            task.title = title;
            setTitle = (text) => {
              task.title = text;
            };
            return ended;
          },
        },
      ],
      { registerSignalListeners: false, rendererOptions: { clearOutput: true, formatOutput: 'truncate' } },
    ).run(),
  );
  return {
    show: (text) => setTitle(text),
    close: async () => {
      end();
      await drawn;
    },
  };
}
