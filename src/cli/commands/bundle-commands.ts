import { Option } from 'commander';
import type { CommandDeclaration } from './command-declaration.ts';
import { jsonOption, storeOption } from './options.ts';

export const bundleCommands: readonly CommandDeclaration[] = [
  {
    name: 'bundle',
    usage: '[file] [archive.zip]',
    summary: 'Write a finished run with its definition as one archive, an RO-Crate',
    options: [
      new Option(
        '--with <parts...>',
        'which results and data to put in, besides the definition, the lock and the records (default: scores)',
      ).choices(['scores', 'answers', 'weights', 'data', 'sources', 'all']),
      new Option('--license <license>', 'an SPDX identifier or an address (default: that of package.json)'),
      new Option('--author <name>', 'who made it, as in "Ada Lovelace <https://orcid.org/...>"'),
      new Option('--force', 'replace an existing archive'),
      storeOption,
      jsonOption,
    ],
    examples: [
      { line: 'tuneloom bundle', does: 'the pipeline of this folder, with its scores' },
      { line: 'tuneloom bundle pipeline.yaml paper.zip --with answers sources', does: 'with more of it' },
    ],
    load: async () => (await import('../bundle/bundle.ts')).bundleCommand,
  },
  {
    name: 'open',
    usage: '<bundle | git address | hf:... | https:...> [folder]',
    mostWords: 2,
    summary: 'Unpack a pipeline that someone else made, and say which code it would run',
    options: [new Option('-y, --yes', 'approve its code without asking'), jsonOption],
    examples: [
      { line: 'tuneloom open paper.zip', does: 'into the folder paper' },
      { line: 'tuneloom open https://github.com/owner/name.git', does: 'a repository' },
      { line: 'tuneloom open hf:datasets/owner/name:paper.zip', does: 'a bundle on the hub' },
    ],
    load: async () => (await import('../open/open.ts')).openCommand,
  },
];
