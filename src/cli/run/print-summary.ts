import type { Dag, RunResult, Store } from '../../runtime/index.ts';
import { formatDuration } from '../terminal/format-duration.ts';
import { counted } from '../terminal/format-number.ts';
import type { Terminal } from '../terminal/terminal.ts';

interface EndedRun {
  readonly dag: Dag;
  readonly store: Store;
  readonly result: RunResult;
  readonly terminal: Terminal;
  readonly json: boolean | undefined;
}

/** Prints the end of a run. Where nothing had to run that is one line, and nothing more is loaded for it. */
export async function printSummary({ dag, store, result, terminal, json }: EndedRun): Promise<void> {
  const { outcome, stages, milliseconds } = result;
  if (
    !json &&
    outcome === 'succeeded' &&
    dag.points === undefined &&
    [...stages.values()].every(({ decision }) => decision === 'reused')
  ) {
    const reused = counted(stages.size, 'stage');
    terminal.print(`${dag.name}: nothing had to run; ${reused} reused (${formatDuration(milliseconds)})`);
    return;
  }
  const [{ summarizeRun }, { summaryText }] = await Promise.all([
    import('../summary/summarize-run.ts'),
    import('../summary/summary-text.ts'),
  ]);
  const summary = await summarizeRun({ dag, store, result });
  if (json) terminal.print(JSON.stringify({ type: 'summary', ...summary }));
  else terminal.print(`\n${summaryText(summary, terminal)}`);
}
