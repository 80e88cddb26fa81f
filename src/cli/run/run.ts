import { type Dag, listOf, type RunResult, runPipeline, type Store } from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { RunOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { openPipeline, pipelineStore, reportMistakes } from '../open-pipeline.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { counted, formatDuration } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** `tuneloom run`: runs what changed and says what came of it. */
export async function execute({ words, options, context }: CommandCall<RunOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'any' });
  if (!opened) return exitCode.badUsage;
  if (options.rerun) {
    const { executeRerun } = await import('../rerun/rerun.ts');
    const { dag, names: stages } = opened;
    return executeRerun({ dag, store: pipelineStore(dag, { options, context }), stages, options, context });
  }
  return await runStages({ dag: opened.dag, targets: opened.names, options, context });
}

interface StagesToRun {
  readonly dag: Dag;
  readonly targets: readonly string[];
  readonly options: RunOptions;
  readonly context: CommandContext;
}

async function runStages({ dag, targets, options, context }: StagesToRun): Promise<ExitCode> {
  const { terminal, stageProcess } = context;
  const store = pipelineStore(dag, { options, context });
  const reporter = await openReporter({ terminal, json: options.json });
  using interruption = Interruption.listen({ terminal, notice: reporter.notice });
  const result = await runPipeline({
    dag,
    store,
    stageProcess,
    targets,
    force: options.force ?? [],
    keepGoing: options.keepGoing ?? false,
    locked: options.locked ?? false,
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    ...(options.backend === undefined ? {} : { resources: { backend: options.backend } }),
    signal: interruption.signal,
    onEvent: reporter.handle,
  }).finally(reporter.close);
  if (!result.ok) return reportMistakes(result.error, { terminal, json: options.json });
  await printSummary({ dag, store, result: result.value, terminal, json: options.json });
  const { journalProblem, lockProblem } = result.value;
  for (const problem of [journalProblem, lockProblem])
    if (problem !== undefined) terminal.complain(`warning: ${safeLine(problem)}`);
  return reportUnlike(result.value, { terminal, json: options.json }) ?? codeOf[result.value.outcome];
}

const codeOf = {
  succeeded: exitCode.success,
  failed: exitCode.stageFailed,
  interrupted: exitCode.interrupted,
} as const;

interface EndedRun {
  readonly dag: Dag;
  readonly store: Store;
  readonly result: RunResult;
  readonly terminal: Terminal;
  readonly json: boolean | undefined;
}

/** Prints the end of a run. Where nothing had to run that is one line, and nothing more is loaded for it. */
async function printSummary({ dag, store, result, terminal, json }: EndedRun): Promise<void> {
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

/** Says which stages of a run with --locked came to other results than the lock; undefined where none did. */
function reportUnlike(
  { unlikeLock }: RunResult,
  { terminal, json }: { terminal: Terminal; json: boolean | undefined },
): ExitCode | undefined {
  if (unlikeLock.length === 0) return undefined;
  const message = `other results than the lock names: ${listOf(unlikeLock, 'and')}`;
  const help =
    'the data and the configuration are those of the lock; another processor, backend or command gives other bytes';
  const error = { code: 'differs-from-lock', message, help, stages: unlikeLock };
  if (json) terminal.print(JSON.stringify({ errors: [error] }));
  else terminal.complain(`${terminal.colors.red(`error[${error.code}]`)} ${message}\n  help: ${help}`);
  return exitCode.integrity;
}
