import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions, wholeNumber } from './options.ts';

export interface ShowOptions extends PipelineOptions {
  readonly limit?: number;
  readonly offset: number;
  readonly epoch: number;
  readonly batch: number;
}

export const showCommand: CommandDeclaration<ShowOptions> = {
  name: 'show',
  usage: '[file] <stage[.output][.part]>',
  summary: 'Print a result: records, answers, tokens, batches, a model, a history or scores',
  options: [
    new Option('-n, --limit <number>', 'how many items to print (default: what fits a screen)').argParser(
      wholeNumber(1),
    ),
    new Option('--offset <number>', 'leave out this many items first')
      .argParser(wholeNumber(0))
      .default(0, ''),
    new Option('--epoch <number>', 'of batches: the epoch, which decides the order')
      .argParser(wholeNumber(1))
      .default(1),
    new Option('--batch <number>', 'of batches: which batch of the epoch')
      .argParser(wholeNumber(1))
      .default(1),
    ...pipelineOptions,
  ],
  examples: [
    { line: 'tuneloom show split.test --limit 3', does: 'three records of one part' },
    { line: 'tuneloom show collate.train --batch 2', does: 'what the second batch trains on' },
    { line: 'tuneloom show train.history', does: 'the losses of a training' },
  ],
  load: () => import('../show/execute-show.ts'),
};
