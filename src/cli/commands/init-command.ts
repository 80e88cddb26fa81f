import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption } from './options.ts';

export const initCommand: CommandDeclaration<JsonOption> = {
  name: 'init',
  usage: '[folder]',
  mostWords: 1,
  summary: 'Write a small pipeline that works, to start from',
  options: [jsonOption],
  examples: [
    { line: 'tuneloom init', does: 'in this folder' },
    { line: 'tuneloom init my-project', does: 'in a new one' },
  ],
  load: () => import('../init/execute-init.ts'),
};
