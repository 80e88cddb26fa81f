import { InvalidArgumentError, Option } from 'commander';
import type { ChatOptions } from '../chat/chat.ts';
import type { DiffOptions } from '../diff/diff.ts';
import type { ExportOptions } from '../export/export-source.ts';
import type { ReviewOptions } from '../review/review.ts';
import { parseScale } from '../review/scale.ts';
import type { RunsOptions } from '../runs/runs.ts';
import type { ScoreOptions } from '../score/score.ts';
import type { ShowOptions } from '../show/show.ts';
import type { CommandDeclaration } from './command-declaration.ts';
import { jsonOption, pipelineOptions, storeOption, wholeNumber } from './options.ts';

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
  load: () => import('../show/show.ts'),
};

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
  load: () => import('../runs/runs.ts'),
};

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
  load: () => import('../diff/diff.ts'),
};

export const exportCommand: CommandDeclaration<ExportOptions> = {
  name: 'export',
  usage: '[file] <stage[.output] | ./folder> --to <folder>',
  summary: "Write a model for other programs: transformers' or PEFT's layout, tokenizer and model card",
  options: [
    new Option('--to <folder>', 'where to write it; it may not exist yet'),
    new Option(
      '--format <name>',
      'hf: the whole model; merged: the same of a LoRA training; peft: its adapter',
    )
      .choices(['hf', 'merged', 'peft'])
      .default('hf'),
    new Option('--dtype <name>', 'the type of the weights')
      .choices(['float32', 'float16', 'bfloat16'])
      .default('float32'),
    new Option('--max-shard-size <size>', 'the most that one file of weights holds').default('5GB'),
    new Option('--base <name>', 'the model that an adapter belongs to, as its adapter_config.json names it'),
    new Option('--force', 'write over a folder that an export wrote before'),
    ...pipelineOptions,
  ],
  examples: [
    { line: 'tuneloom export train --to my-model', does: 'a folder that transformers loads' },
    { line: 'tuneloom export train --to small --dtype bfloat16', does: 'half the size' },
    { line: 'tuneloom export train --to adapter --format peft', does: 'a LoRA adapter for PEFT' },
  ],
  load: () => import('../export/export.ts'),
};

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
  load: () => import('../score/score.ts'),
};

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
  load: () => import('../review/review.ts'),
};

export const chatCommand: CommandDeclaration<ChatOptions> = {
  name: 'chat',
  usage: '[file] <stage|model>',
  summary: 'Talk to a model: a stage’s, a folder’s or a GGUF file’s',
  options: [
    new Option('--template <name>', 'a template instead of its own: alpaca, chatml, llama3, ...'),
    new Option('--system <text>', 'what the conversation begins with'),
    new Option('--max-new-tokens <number>', 'the most tokens of an answer')
      .argParser(wholeNumber(1))
      .default(256),
    new Option('--temperature <number>', '0 takes the likeliest token each time')
      .argParser(from(0))
      .default(0),
    new Option('--top-k <number>', 'draw from so many of the likeliest tokens').argParser(wholeNumber(1)),
    new Option('--top-p <share>', 'draw from the likeliest that reach this probability')
      .argParser(from(0))
      .default(1),
    new Option('--min-p <share>', 'draw from those at least so likely beside the likeliest')
      .argParser(from(0))
      .default(0),
    new Option('--repetition-penalty <number>', 'above 1 makes repeated tokens less likely')
      .argParser(from(0))
      .default(1),
    new Option('--seed <number>', 'decides the draws').argParser(wholeNumber(0)).default(0),
    ...pipelineOptions,
  ],
  examples: [
    { line: 'tuneloom chat train', does: 'talk to what the stage train made' },
    { line: 'tuneloom chat models/smollm2.gguf', does: 'talk to a model file' },
    { line: 'tuneloom chat train --json < questions.txt', does: 'a question a line' },
  ],
  load: () => import('../chat/chat.ts'),
};

function from(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number) && number >= least) return number;
    throw new InvalidArgumentError(`It takes a number of at least ${least}.`);
  };
}
