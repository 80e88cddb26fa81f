import { planPipeline } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PlanOptions } from '../commands/plan-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { reportMistakes } from '../pipeline/report-mistakes.ts';
import { expectedMemory } from './expected-memory.ts';
import { planText } from './plan-text.ts';
import { planView } from './plan-view.ts';

/** `tuneloom plan`: says what a run would do, and changes nothing. */
export async function execute({ words, options, context }: CommandCall<PlanOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'any' });
  if (!opened) return exitCode.badUsage;
  const { dag, names } = opened;
  const store = pipelineStore(dag, { options, context });
  const plan = await planPipeline({ dag, store, targets: names });
  if (!plan.ok) return reportMistakes(plan.error, { terminal: context.terminal, json: options.json });
  const view = planView(dag.name, {
    plan: plan.value,
    memory: await expectedMemory({ plan: plan.value, store }),
  });
  context.terminal.print(options.json ? JSON.stringify(view) : planText(view, context.terminal));
  const upToDate = view.stages.every(({ decision }) => decision === 'reuse');
  return options.check && !upToDate ? exitCode.outOfDate : exitCode.success;
}
