import type { Terminal } from '../terminal/terminal.ts';
import type { Reporter } from './reporter.ts';

/** Events as JSON where they were asked for, a live list in a terminal, lines everywhere else; only that one is loaded. */
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

/** One JSON object a line for each event, as it happens. */
function jsonReporter({ print, complain }: Pick<Terminal, 'print' | 'complain'>): Reporter {
  return { handle: (event) => print(JSON.stringify(event)), notice: complain, close: async () => {} };
}
