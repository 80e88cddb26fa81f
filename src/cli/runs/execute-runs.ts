import { listRuns, type RunRecord } from '../../runtime/index.ts';
import type { CommandCall } from '../commands/command-declaration.ts';
import type { RunsOptions } from '../commands/runs-command.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { namedFile } from '../pipeline/named-file.ts';
import { projectStore } from '../pipeline/pipeline-store.ts';
import { findRun } from './find-run.ts';
import { runDetails } from './run-details.ts';
import { runTable } from './run-table.ts';

/** `tuneloom runs`: lists past runs, or shows one of them stage by stage. */
export async function execute({ words, options, context }: CommandCall<RunsOptions>): Promise<ExitCode> {
  const { file, names } = namedFile({ words, context, mostNames: 1 });
  const store = projectStore({ file, options, context });
  const { terminal } = context;
  const [wanted] = names;
  if (wanted !== undefined) {
    const record = findRun(store, wanted);
    terminal.print(options.json ? JSON.stringify(record) : runDetails(record, terminal));
    return exitCode.success;
  }
  const records: RunRecord[] = [];
  for (const record of listRuns(store)) {
    records.push(record);
    if (records.length === options.limit) break;
  }
  if (options.json) terminal.print(JSON.stringify({ runs: records }));
  else terminal.print(records.length === 0 ? `no runs yet in ${store.root}` : runTable(records));
  return exitCode.success;
}
