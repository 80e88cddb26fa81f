import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, wholeNumber } from './options.ts';

export interface ScoreOptions extends JsonOption {
  readonly data?: string;
  readonly predictions?: string;
  readonly rounds: number;
  readonly seed: number;
}

export const scoreCommand: CommandDeclaration<ScoreOptions> = {
  name: 'score',
  usage: '[benchmark]',
  mostWords: 1,
  summary: "Score a file of predictions as a benchmark's official tool does",
  options: [
    new Option('--data <file>', 'what the benchmark ships: questions, labels or votes'),
    new Option('--predictions <file>', 'what a model answered'),
    new Option('--rounds <number>', 'resamples for bootstrap intervals')
      .argParser(wholeNumber(1))
      .default(1000),
    new Option('--seed <number>', 'decides which resamples').argParser(wholeNumber(0)).default(0),
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom score', does: 'list the benchmarks' },
    {
      line: 'tuneloom score squad --data dev-v2.0.json --predictions predictions.json',
      does: 'exact match and F1, with standard errors',
    },
    { line: 'tuneloom score arena --data battles.json --json', does: 'ratings of models, for a program' },
  ],
  load: () => import('../score/execute-score.ts'),
};
