import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions } from './options.ts';

export interface ExportOptions extends PipelineOptions {
  readonly to?: string;
  readonly format: 'hf' | 'merged' | 'peft';
  readonly dtype: 'float32' | 'float16' | 'bfloat16';
  readonly maxShardSize: string;
  readonly base?: string;
  readonly force?: boolean;
}

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
  load: () => import('../export/execute-export.ts'),
};
