import type { Terminal } from '../terminal/terminal.ts';
import type { Reporter } from './reporter.ts';

/** One JSON object a line for each event, as it happens. */
export function jsonReporter({ print, complain }: Pick<Terminal, 'print' | 'complain'>): Reporter {
  return { handle: (event) => print(JSON.stringify(event)), notice: complain, close: async () => {} };
}
