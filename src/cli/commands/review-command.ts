import { Option } from 'commander';
import { parseScale, type Scale } from '../review/scale.ts';
import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions } from './options.ts';

export interface ReviewOptions extends PipelineOptions {
  readonly to?: string;
  readonly rater?: string;
  readonly scale: Scale;
}

export const reviewCommand: CommandDeclaration<ReviewOptions> = {
  name: 'review',
  usage: '[file] <stage>',
  summary: "Rate a stage's answers one by one, and keep the ratings in a CSV file",
  options: [
    new Option(
      '--to <file>',
      'the file of ratings (default: <pipeline>.<stage>.ratings.csv beside the pipeline)',
    ),
    new Option('--rater <name>', 'whose ratings they are (default: the name of your account)'),
    new Option('--scale <lowest-highest>', 'the lowest and the highest score')
      .argParser(parseScale)
      .default({ lowest: 0, highest: 100 }, '0-100'),
    ...pipelineOptions,
  ],
  examples: [
    { line: 'tuneloom review generate', does: 'go on with the first answer that you have not rated' },
    { line: 'tuneloom review generate --scale 1-5 --rater ada', does: "Ada's ratings from 1 to 5" },
  ],
  load: () => import('../review/execute-review.ts'),
};
