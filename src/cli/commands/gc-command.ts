import { InvalidArgumentError, Option } from 'commander';
import { parseDuration, parseMemory } from '../../runtime/config/quantity.ts';
import type { CommandDeclaration } from './command-declaration.ts';
import { type JsonOption, jsonOption, storeOption } from './options.ts';

export interface GcOptions extends JsonOption {
  /** In milliseconds. */
  readonly olderThan: number;
  /** In bytes. */
  readonly maxSize?: number;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly store?: string;
}

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
  load: () => import('../gc/execute-gc.ts'),
};

function quantity(parse: (text: string) => number | undefined, forms: string): (text: string) => number {
  return (text) => {
    const value = parse(text);
    if (value !== undefined && Number.isFinite(value)) return value;
    throw new InvalidArgumentError(`It takes a number with its unit, as ${forms}.`);
  };
}
