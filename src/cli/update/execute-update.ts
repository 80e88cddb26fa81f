import { updateSources } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { openPipeline } from '../pipeline/open-pipeline.ts';
import { pipelineStore } from '../pipeline/pipeline-store.ts';
import { reportMistakes } from '../pipeline/report-mistakes.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { Interruption } from '../run/interruption.ts';
import { safeLine } from '../terminal/safe-text.ts';
import { updateText } from './update-text.ts';

/** `tuneloom update`: resolves remote sources again, shows what they were and are, and locks it. */
export async function execute({ words, options, context }: CommandCall<PipelineOptions>): Promise<ExitCode> {
  const { terminal } = context;
  const addresses = words.filter(isAddress);
  const others = words.filter((word) => !isAddress(word));
  const opened = await openPipeline({ words: others, options, context, names: 'none' });
  if (!opened) return exitCode.badUsage;
  const { dag } = opened;
  const store = pipelineStore(dag, { options, context });
  const reporter = await openReporter({ terminal, json: options.json });
  using interruption = Interruption.listen({ terminal, notice: reporter.notice });
  const { signal } = interruption;
  const updated = await updateSources({ dag, store, addresses, signal, onEvent: reporter.handle }).finally(
    reporter.close,
  );
  if (!updated.ok) return reportMistakes(updated.error, { terminal, json: options.json });
  const { sources, lockProblem } = updated.value;
  const view = { pipeline: dag.name, sources };
  terminal.print(options.json ? JSON.stringify({ type: 'summary', ...view }) : updateText(view));
  if (lockProblem !== undefined) terminal.complain(`warning: ${safeLine(lockProblem)}`);
  return signal.aborted ? exitCode.interrupted : exitCode.success;
}

const isAddress = (word: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(word);
