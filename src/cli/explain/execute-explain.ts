import { explainStage } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { reportMistakes } from '../pipeline/report-mistakes.ts';
import { explanationText } from './explanation-text.ts';
import { explanationView } from './explanation-view.ts';

/** `tuneloom explain`: shows how a stage differs from its nearest past run. */
export async function execute({ words, options, context }: CommandCall<PipelineOptions>): Promise<ExitCode> {
  const opened = await openPipeline({ words, options, context, names: 'one' });
  const stage = opened?.names[0];
  if (!opened || stage === undefined) return exitCode.badUsage;
  const store = pipelineStore(opened.dag, { options, context });
  const explained = await explainStage({ dag: opened.dag, store, stage });
  if (!explained.ok)
    return reportMistakes(explained.error, { terminal: context.terminal, json: options.json });
  const view = explanationView(explained.value);
  context.terminal.print(options.json ? JSON.stringify(view) : explanationText(view, context.terminal));
  return exitCode.success;
}
