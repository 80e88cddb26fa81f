import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, storeOption, wholeNumber } from './options.ts';

export interface RunsOptions extends JsonOption {
  readonly limit: number;
  readonly store?: string;
}

export const runsCommand: CommandDeclaration<RunsOptions> = {
  name: 'runs',
  usage: '[file] [run]',
  mostWords: 2,
  summary: 'List past runs, or show what one of them did',
  options: [
    new Option('-n, --limit <number>', 'how many runs to list').argParser(wholeNumber(1)).default(10),
    storeOption,
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom runs', does: 'the last ten runs' },
    { line: 'tuneloom runs latest', does: 'what the last run did, stage by stage' },
    { line: 'tuneloom runs ../other/pipeline.yaml', does: 'the last runs of another project' },
  ],
  load: () => import('../runs/execute-runs.ts'),
};
