import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption } from './options.ts';

export interface SetupOptions extends JsonOption {
  readonly cuda?: boolean;
  readonly cpu?: boolean;
  readonly from?: 'storage' | 'pypi';
}

export const setupCommand: CommandDeclaration<SetupOptions> = {
  name: 'setup',
  usage: 'tensorflow',
  mostWords: 1,
  summary: 'Install an engine that is not part of the package',
  options: [
    new Option('--cuda', 'for an NVIDIA GPU (default: where one is found)').conflicts('cpu'),
    new Option('--cpu', 'for processors only'),
    new Option(
      '--from <place>',
      "take it from the engine's own storage or build it with PyPI's libraries",
    ).choices(['storage', 'pypi']),
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom setup tensorflow', does: 'install TensorFlow, with CUDA where there is a GPU' },
    { line: 'tuneloom setup tensorflow --cpu', does: 'without CUDA: 1 GB instead of 8' },
  ],
  load: () => import('../setup/execute-setup.ts'),
};
