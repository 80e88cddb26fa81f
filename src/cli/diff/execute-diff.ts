import { listRuns, type RunRecord, type Store } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { DiffOptions } from '../commands/diff-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { namedFile } from '../pipeline/named-file.ts';
import { projectStore } from '../pipeline/pipeline-store.ts';
import { findRun } from '../runs/find-run.ts';
import { UsageError } from '../usage-error.ts';
import { compareRuns, type RunPair } from './compare-runs.ts';
import { differenceText } from './difference-text.ts';

/** `tuneloom diff`: compares two runs. */
export async function execute({ words, options, context }: CommandCall<DiffOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: 2 });
  const store = projectStore({ file, options, context });
  const pair = chosenRuns(store, { file, names });
  const difference = await compareRuns(store, pair);
  const { terminal } = context;
  if (options.json) terminal.print(JSON.stringify(difference));
  else terminal.print(differenceText(difference, { terminal, limit: options.limit }));
  return exitCode.success;
}

function chosenRuns(
  store: Store,
  { file, names }: { readonly file: string | undefined; readonly names: readonly string[] },
): RunPair {
  const [first, second] = names;
  if (first !== undefined) {
    const before = findRun(store, first);
    const after = second === undefined ? latestOf(store, before) : findRun(store, second);
    return { before, after };
  }
  const runs = [...listRuns(store)];
  const after = runs.find((run) => file === undefined || isOfFile(run, file));
  const before = runs
    .slice((after === undefined ? -1 : runs.indexOf(after)) + 1)
    .find(({ pipeline }) => pipeline === after?.pipeline);
  if (after && before) return { before, after };
  throw new UsageError({
    message: 'there are no two runs to compare',
    help: `\`tuneloom runs\` lists those in ${store.root}`,
  });
}

function latestOf(store: Store, run: RunRecord): RunRecord {
  const latest = firstWith(listRuns(store), ({ pipeline }) => pipeline === run.pipeline);
  if (latest !== undefined && latest.run !== run.run) return latest;
  throw new UsageError({
    message: `\`${run.run}\` is the last run of ${run.pipeline}: there is none after it`,
    help: 'name two runs',
  });
}

/** The record names the file from the store's parent folder, the command line from where it is called. */
const isOfFile = (run: RunRecord, file: string): boolean => {
  const [recorded, asked] = [run.file, file].map((path) => path.split(/[/\\]/).at(-1));
  return recorded === asked;
};

function firstWith(runs: Iterable<RunRecord>, condition: (run: RunRecord) => boolean): RunRecord | undefined {
  for (const run of runs) if (condition(run)) return run;
  return undefined;
}
