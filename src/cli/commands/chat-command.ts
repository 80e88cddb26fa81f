import { InvalidArgumentError, Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions, wholeNumber } from './options.ts';

export interface ChatOptions extends PipelineOptions {
  readonly template?: string;
  readonly system?: string;
  readonly maxNewTokens: number;
  readonly temperature: number;
  readonly topK?: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
}

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
  load: () => import('../chat/execute-chat.ts'),
};

function from(least: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number) && number >= least) return number;
    throw new InvalidArgumentError(`It takes a number of at least ${least}.`);
  };
}
