import { type Dag, rerunStages, type Store } from '../../runtime/index.ts';
import type { CommandContext } from '../commands/command-declaration.ts';
import type { RunOptions } from '../commands/run-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { reportMistakes } from '../pipeline/report-mistakes.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { Interruption } from '../run/interruption.ts';
import { labelledText } from '../terminal/labelled-text.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { type AuditedStage, auditStage } from './audit-stage.ts';

interface RerunCall {
  readonly dag: Dag;
  readonly store: Store;
  readonly stages: readonly string[];
  readonly options: RunOptions;
  readonly context: CommandContext;
}

/** `tuneloom run --rerun`: runs finished stages again in a scratch store and compares what they give. */
export async function executeRerun(call: RerunCall): Promise<ExitCode> {
  const { dag, store, stages, options, context } = call;
  const { terminal, stageProcess } = context;
  const audited: AuditedStage[] = [];
  const reporter = await openReporter({ terminal, json: options.json });
  using interruption = Interruption.listen({ terminal, notice: reporter.notice });
  const result = await rerunStages({
    dag,
    store,
    stageProcess,
    stages,
    ...(options.backend === undefined ? {} : { resources: { backend: options.backend } }),
    signal: interruption.signal,
    // Each stage is a run of its own; of its start and end only the stage's are worth telling.
    onEvent: (event) => {
      if (event.type === 'stage-report') reporter.handle(event);
    },
    onRerun: async (stage, rerun) => {
      const verdict = await auditStage(store, { stage, rerun });
      audited.push(verdict);
      if (!options.json)
        terminal.print(labelledText([{ label: stage, text: verdictText(verdict) }], { terminal }));
    },
  }).finally(reporter.close);
  if (!result.ok) return reportMistakes(result.error, { terminal, json: options.json });
  if (options.json) terminal.print(JSON.stringify({ type: 'audit', pipeline: dag.name, stages: audited }));
  else terminal.print(`${dag.name}: ${summaryOf(audited)}`);
  if (interruption.signal.aborted) return exitCode.interrupted;
  return codeOf(audited);
}

function verdictText({ verdict, differences, why }: AuditedStage): string {
  const places = differences.map(({ output, where }) => `${output}: ${safeLine(where)}`);
  const reason = why === undefined ? [] : [safeLine(why)];
  switch (verdict) {
    case 'equal':
      return 'equal';
    case 'differs':
      return `differs: ${places.join('; ')}`;
    case 'unlike':
      return `differs, as it may (${reason.join()}): ${places.join('; ')}`;
    case 'failed':
      return `failed: ${reason.join()}`;
    case 'not-cached':
      return `left out: ${reason.join()}`;
    default:
      return verdict satisfies never;
  }
}

function summaryOf(audited: readonly AuditedStage[]): string {
  const count = (verdict: AuditedStage['verdict']) => audited.filter((one) => one.verdict === verdict).length;
  const equal = `${count('equal')} of ${audited.length} stages came to the same bytes again`;
  return count('differs') === 0 ? equal : `${equal}; ${count('differs')} differ and should not`;
}

function codeOf(audited: readonly AuditedStage[]): ExitCode {
  if (audited.some(({ verdict }) => verdict === 'differs')) return exitCode.integrity;
  return audited.some(({ verdict }) => verdict === 'failed') ? exitCode.stageFailed : exitCode.success;
}
