import type { Terminal } from '../terminal/terminal.ts';
import type { Reporter } from './reporter.ts';

/** The reporter for JSON, a terminal or a log; only that one is loaded. */
export async function openReporter({
  terminal,
  json,
}: {
  terminal: Terminal;
  json: boolean | undefined;
}): Promise<Reporter> {
  const now = () => performance.now();
  if (json) return jsonReporter(terminal);
  if (terminal.interactive) {
    const { LiveReporter } = await import('./live-reporter.ts');
    return new LiveReporter({ terminal, now });
  }
  const { PlainReporter } = await import('./plain-reporter.ts');
  return new PlainReporter({ terminal, now });
}

/** Prints each event as a line of JSON. */
function jsonReporter({ print, complain }: Pick<Terminal, 'print' | 'complain'>): Reporter {
  return { handle: (event) => print(JSON.stringify(event)), notice: complain, close: async () => {} };
}
