import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions, repeatable, wholeNumber } from './options.ts';

export interface RunOptions extends PipelineOptions {
  readonly jobs?: number;
  readonly force?: readonly string[];
  readonly keepGoing?: boolean;
  readonly locked?: boolean;
  readonly rerun?: boolean;
  readonly backend?: 'auto' | 'onnx' | 'tensorflow' | 'cpu';
}

export const runCommand: CommandDeclaration<RunOptions> = {
  name: 'run',
  usage: '[file] [stage...]',
  summary: 'Run the stages whose inputs changed, and reuse the rest',
  options: [
    new Option(
      '-j, --jobs <number>',
      'how many stages may run at once (default: one for each core)',
    ).argParser(wholeNumber(1)),
    repeatable('--force <stage>', 'run this stage even if nothing changed; repeatable'),
    new Option('--keep-going', 'after a failure, still run what does not depend on it'),
    new Option('--locked', 'refuse to run where a source or a stage is not what the lock says'),
    new Option('--rerun', 'run what is cached again, beside the store, and compare what it gives').conflicts([
      'force',
      'locked',
      'keepGoing',
    ]),
    new Option('--backend <name>', 'where tensors are computed').choices([
      'auto',
      'onnx',
      'tensorflow',
      'cpu',
    ]),
    ...pipelineOptions,
  ],
  examples: [
    { line: 'tuneloom run', does: 'run the only pipeline of this folder' },
    { line: 'tuneloom run pipelines/quickstart.yaml train', does: 'run `train` and what it needs' },
    { line: 'tuneloom run -p learning_rate=1e-4', does: 'try another value without an edit' },
  ],
  load: () => import('../run/execute-run.ts'),
};
