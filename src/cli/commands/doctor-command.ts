import type { CommandDeclaration } from './command-declaration.ts';
import { jsonOption, storeOption } from './options.ts';
import type { StoreOptions } from './verify-command.ts';

export const doctorCommand: CommandDeclaration<StoreOptions> = {
  name: 'doctor',
  usage: '[file]',
  mostWords: 1,
  summary: 'Show what this machine offers, and what is missing',
  options: [storeOption, jsonOption],
  examples: [
    { line: 'tuneloom doctor', does: 'check the machine, the tensor backends and the store' },
    { line: 'tuneloom doctor --json', does: 'the same, to attach to a report' },
  ],
  load: () => import('../doctor/execute-doctor.ts'),
};
