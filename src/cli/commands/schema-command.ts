import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption } from './options.ts';

export const schemaCommand: CommandDeclaration<JsonOption> = {
  name: 'schema',
  usage: '[stage]',
  mostWords: 1,
  summary: "Print the JSON Schema of pipeline files, or of one stage's fields",
  options: [jsonOption],
  examples: [
    { line: 'tuneloom schema > pipeline.schema.json', does: "for an editor's completion and checks" },
    { line: 'tuneloom schema train', does: 'every field of `train`, with its default' },
  ],
  load: () => import('../schema/execute-schema.ts'),
};
