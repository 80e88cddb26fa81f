import { type Dag, runPipeline } from '../../runtime/index.ts';
import type { CommandCall, CommandContext } from '../commands/command-declaration.ts';
import type { RunOptions } from '../commands/run-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { reportMistakes } from '../pipeline/report-mistakes.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { Interruption } from './interruption.ts';
import { printSummary } from './print-summary.ts';
import { reportUnlike } from './report-unlike.ts';

/** `tuneloom run`: runs what changed and says what came of it. */
export async function execute({ words, options, context }: CommandCall<RunOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'any' });
  if (!opened) return exitCode.badUsage;
  if (options.rerun) {
    const { executeRerun } = await import('../rerun/execute-rerun.ts');
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
