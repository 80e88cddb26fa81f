import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, storeOption, wholeNumber } from './options.ts';

export interface DiffOptions extends JsonOption {
  readonly limit: number;
  readonly store?: string;
}

export const diffCommand: CommandDeclaration<DiffOptions> = {
  name: 'diff',
  usage: '[file] [run] [run]',
  mostWords: 3,
  summary: 'Compare two runs: params, fields, metrics and answers',
  options: [
    new Option('-n, --limit <number>', 'how many answers of each stage to show')
      .argParser(wholeNumber(0))
      .default(5),
    storeOption,
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom diff', does: 'the last two runs of the pipeline that ran last' },
    { line: 'tuneloom diff 2026-03-01T10 latest', does: 'two runs, by the beginning of their ids' },
    { line: 'tuneloom diff pipelines/judge.yaml 4fa1b2', does: 'a run and the last one of its pipeline' },
  ],
  load: () => import('../diff/execute-diff.ts'),
};
