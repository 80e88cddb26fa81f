import { Option } from 'commander';
import { parseScale } from '../review/scale.ts';
import type { CommandGroup } from './command-declaration.ts';
import { experimentCommands } from './experiment-commands.ts';
import { modelCommands } from './model-commands.ts';
import { jsonOption, overrideOptions, pipelineOptions, storeOption, wholeNumber } from './options.ts';

export const resultCommands: CommandGroup = {
  title: 'Look at it and at its results:',
  commands: [
    {
      name: 'show',
      usage: '[file] <stage[.output][.part]>',
      summary: 'Print a result: records, answers, tokens, batches, a model, a history or scores',
      options: [
        new Option('-n, --limit <number>', 'how many items to print (default: what fits a screen)').argParser(
          wholeNumber(1),
        ),
        new Option('--offset <number>', 'skip this many items first')
          .argParser(wholeNumber(0))
          .default(0, ''),
        new Option('--epoch <number>', 'of batches: the epoch, which decides the order')
          .argParser(wholeNumber(1))
          .default(1),
        new Option('--batch <number>', 'of batches: which batch of the epoch')
          .argParser(wholeNumber(1))
          .default(1),
        new Option('--csv', 'print a history, scores or answers as CSV').conflicts('json'),
        ...pipelineOptions,
      ],
      examples: [
        { line: 'tuneloom show split.test --limit 3', does: 'three records of one part' },
        { line: 'tuneloom show collate.train --batch 2', does: 'what the second batch trains on' },
        { line: 'tuneloom show train.history', does: 'the losses of a training' },
        { line: 'tuneloom show train.history --csv', does: 'every step, for a spreadsheet' },
      ],
      load: async () => (await import('../show/show.ts')).showCommand,
    },
    {
      name: 'ui',
      usage: '[file]',
      mostWords: 1,
      summary: 'Open pages to follow runs, browse results, review, compare and chat, on this machine only',
      options: [
        new Option('--port <number>', 'the port to listen on')
          .argParser(wholeNumber(0))
          .default(0, 'any free one'),
        new Option('--rater <name>', 'whose ratings and votes they are (default: the name of your account)'),
        storeOption,
        jsonOption,
      ],
      examples: [
        { line: 'tuneloom ui', does: 'the pipelines below this folder' },
        { line: 'tuneloom ui pipelines/quickstart.yaml --port 4610', does: 'on a port of your choice' },
      ],
      load: async () => (await import('../ui/ui.ts')).uiCommand,
    },
    {
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
        { line: 'tuneloom review generate', does: 'continue with the first answer that you have not rated' },
        { line: 'tuneloom review generate --scale 1-5 --rater ada', does: "Ada's ratings from 1 to 5" },
      ],
      load: async () => (await import('../review/review.ts')).reviewCommand,
    },
    ...experimentCommands,
    {
      name: 'track',
      usage: '[file] <tensorboard|mlflow> [run...]',
      summary: 'Write the histories and scores of runs for TensorBoard or MLflow',
      options: [
        new Option(
          '--to <place>',
          "TensorBoard's folder (default: tensorboard), or MLflow's address (default: MLFLOW_TRACKING_URI)",
        ),
        new Option('--experiment <name>', "MLflow's experiment (default: the name of the pipeline)"),
        new Option('--all', 'every run that has ended, not only the last'),
        storeOption,
        jsonOption,
      ],
      examples: [
        { line: 'tuneloom track tensorboard', does: 'the last run, into tensorboard/' },
        { line: 'tuneloom track mlflow --to http://localhost:5000 --all', does: 'every run' },
      ],
      load: async () => (await import('../track/track.ts')).trackCommand,
    },
    {
      name: 'graph',
      usage: '[file]',
      summary: 'Draw the stages of a pipeline and what flows between them',
      options: [
        new Option('--format <format>', 'how to draw it').choices(['text', 'mermaid', 'dot']).default('text'),
        ...overrideOptions,
        jsonOption,
      ],
      examples: [
        { line: 'tuneloom graph', does: 'a drawing in text' },
        { line: 'tuneloom graph --format mermaid', does: 'a drawing for Markdown' },
        { line: 'tuneloom graph --format dot | dot -Tsvg > graph.svg', does: 'a picture, with Graphviz' },
      ],
      load: async () => (await import('../graph/graph.ts')).graphCommand,
    },
    ...modelCommands,
    {
      name: 'score',
      usage: '[benchmark]',
      mostWords: 1,
      summary: "Score a file of predictions as a benchmark's official tool does",
      options: [
        new Option('--data <file>', 'the file that the benchmark ships: questions, labels or votes'),
        new Option('--predictions <file>', 'what a model answered'),
        new Option('--rounds <number>', 'resamples for bootstrap intervals')
          .argParser(wholeNumber(1))
          .default(1000),
        new Option('--seed <number>', 'the seed of the resampling').argParser(wholeNumber(0)).default(0),
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
      load: async () => (await import('../score/score.ts')).scoreCommand,
    },
  ],
};
