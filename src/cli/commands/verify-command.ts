import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, storeOption } from './options.ts';

export interface StoreOptions extends JsonOption {
  readonly store?: string;
}

export const verifyCommand: CommandDeclaration<StoreOptions> = {
  name: 'verify',
  usage: '[file]',
  mostWords: 1,
  summary: 'Check that everything in the store is what its digest says',
  options: [storeOption, jsonOption],
  examples: [
    { line: 'tuneloom verify', does: "check this project's store" },
    { line: 'tuneloom verify ../other/pipeline.yaml', does: "check another project's" },
    { line: 'tuneloom verify --store /mnt/shared/artifacts', does: 'check another one' },
  ],
  load: () => import('../verify/execute-verify.ts'),
};
