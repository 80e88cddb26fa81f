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
  if (json) {
    const { jsonReporter } = await import('./json-reporter.ts');
    return jsonReporter(terminal);
  }
  if (terminal.interactive) {
    const { LiveReporter } = await import('./live-reporter.ts');
    return new LiveReporter({ terminal, now });
  }
  const { PlainReporter } = await import('./plain-reporter.ts');
  return new PlainReporter({ terminal, now });
}
