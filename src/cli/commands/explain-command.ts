import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions } from './options.ts';

export const explainCommand: CommandDeclaration<PipelineOptions> = {
  name: 'explain',
  usage: '[file] <stage>',
  summary: 'Show field by field how a stage differs from its nearest past run',
  options: pipelineOptions,
  examples: [
    { line: 'tuneloom explain train', does: 'why would `train` run again?' },
    { line: 'tuneloom explain pipelines/quickstart.yaml train --json', does: 'the same, for a program' },
  ],
  load: () => import('../explain/execute-explain.ts'),
};
