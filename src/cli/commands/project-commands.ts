import { InvalidArgumentError, Option } from 'commander';
import { parseDuration, parseMemory } from '../../runtime/index.ts';
import type { GcOptions } from '../gc/gc.ts';
import type { SetupOptions } from '../setup/setup.ts';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, type StoreOptions, storeOption } from './options.ts';

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
  load: () => import('../verify/verify.ts'),
};

const thirtyDays = 30 * 24 * 60 * 60 * 1000;

export const gcCommand: CommandDeclaration<GcOptions> = {
  name: 'gc',
  usage: '[file]',
  mostWords: 1,
  summary: 'Remove results that nothing has used for long',
  options: [
    new Option('--older-than <time>', 'what was not used for so long goes, as 30d or 12h; at least a day')
      .argParser(quantity(parseDuration, '30d or 12h'))
      .default(thirtyDays, '30d'),
    new Option(
      '--max-size <size>',
      'beyond this size, as 50GB, what was used longest ago goes too',
    ).argParser(quantity(parseMemory, '50GB or 500MiB')),
    new Option('--dry-run', 'say what would go and what stays, and why; remove nothing'),
    new Option('-y, --yes', 'remove without asking'),
    storeOption,
    jsonOption,
  ],
  examples: [
    { line: 'tuneloom gc --dry-run', does: 'what would go, and what stays and why?' },
    { line: 'tuneloom gc --older-than 7d', does: 'remove what nothing has used for a week' },
    { line: 'tuneloom gc --max-size 50GB --yes', does: 'for a nightly job' },
  ],
  load: () => import('../gc/gc.ts'),
};

function quantity(parse: (text: string) => number | undefined, forms: string): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`It takes a number with its unit, as ${forms}.`);
  };
}

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
  load: () => import('../doctor/doctor.ts'),
};

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
  load: () => import('../setup/setup.ts'),
};

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
  load: () => import('../schema/schema.ts'),
};
