import type { CommandDeclaration } from './command-declaration.ts';
import { type PipelineOptions, pipelineOptions } from './options.ts';

export const updateCommand: CommandDeclaration<PipelineOptions> = {
  name: 'update',
  usage: '[file] [source...]',
  summary: 'Resolve remote sources again and lock what they are now',
  options: pipelineOptions,
  examples: [
    { line: 'tuneloom update', does: 'take every hf: and https: source as it is now' },
    { line: 'tuneloom update hf:openai-community/gpt2', does: 'take this one as it is now' },
  ],
  load: () => import('../update/execute-update.ts'),
};
