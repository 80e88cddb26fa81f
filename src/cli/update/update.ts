import { type UpdatedSource, updateSources } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { PipelineOptions } from '../commands/options.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { Interruption } from '../interruption.ts';
import { openPipeline, reportMistakes } from '../open-pipeline.ts';
import { storeOf } from '../open-settings.ts';
import { openReporter } from '../reporter/open-reporter.ts';
import { counted, shortDigests } from '../terminal/format-number.ts';
import { safeLine } from '../terminal/safe-text.ts';

/** `tuneloom update`: resolves remote sources again, shows what changed, and writes the lock. */
export async function updateCommand({
  words,
  options,
  context,
}: CommandCall<PipelineOptions>): Promise<ExitCode> {
  const { terminal } = context;
  const addresses = words.filter(isAddress);
  const others = words.filter((word) => !isAddress(word));
  const opened = await openPipeline({ words: others, options, context, names: 'none' });
  if (!opened) return exitCode.badUsage;
  const { dag } = opened;
  const store = await storeOf({ file: dag.file, options, context });
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
  return signal.aborted ? interruption.code : exitCode.success;
}

const isAddress = (word: string): boolean => /^[a-z][a-z0-9+.-]+:/i.test(word);

/** Each source with its former and its present content, or that it is unchanged. */
function updateText({
  pipeline,
  sources,
}: {
  readonly pipeline: string;
  readonly sources: readonly UpdatedSource[];
}): string {
  if (sources.length === 0) return `${pipeline}: no remote sources`;
  const changed = sources.filter(isChanged).length;
  return [
    `${pipeline}: ${counted(sources.length, 'source')} resolved again, ${changed === 0 ? 'none' : changed} changed`,
    ...sources.flatMap(linesOf),
  ].join('\n');
}

const isChanged = ({ before, after }: UpdatedSource): boolean => before?.digest !== after.digest;

function linesOf(source: UpdatedSource): readonly string[] {
  const { address, before, after } = source;
  const name = `  ${safeLine(address)}`;
  if (!isChanged(source)) return [`${name}  unchanged (${spell(after)})`];
  return [
    name,
    `    was ${before === undefined ? '(not resolved)' : spell(before)}`,
    `    is  ${spell(after)}`,
  ];
}

function spell({ digest, revision }: UpdatedSource['after']): string {
  const content = shortDigests(digest);
  return revision === undefined ? content : `${safeLine(revision).slice(0, 12)}  ${content}`;
}
