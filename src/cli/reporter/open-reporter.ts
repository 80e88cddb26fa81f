import type { Terminal } from '../terminal/terminal.ts';
import { jsonReporter } from './json-reporter.ts';
import { LiveReporter } from './live-reporter.ts';
import { PlainReporter } from './plain-reporter.ts';
import type { Reporter } from './reporter.ts';

/** Events as JSON where they were asked for, a live list in a terminal, lines everywhere else. */
export function openReporter({
  terminal,
  json,
}: {
  terminal: Terminal;
  json: boolean | undefined;
}): Reporter {
  const now = () => performance.now();
  if (json) return jsonReporter(terminal);
  return terminal.interactive ? new LiveReporter({ terminal, now }) : new PlainReporter({ terminal, now });
}
