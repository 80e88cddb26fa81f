import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions } from './options.ts';

export interface PlanOptions extends PipelineOptions {
  readonly check?: boolean;
}

export const planCommand: CommandDeclaration<PlanOptions> = {
  name: 'plan',
  usage: '[file] [stage...]',
  summary: 'Show what a run would do and why, and change nothing',
  options: [new Option('--check', 'end with exit code 3 if anything would run'), ...pipelineOptions],
  examples: [
    { line: 'tuneloom plan', does: 'what would `tuneloom run` do now?' },
    { line: 'tuneloom plan -p epochs=3', does: 'what would another value cost?' },
    { line: 'tuneloom plan --check', does: 'for CI: fail unless everything is up to date' },
  ],
  load: () => import('../plan/execute-plan.ts'),
};
