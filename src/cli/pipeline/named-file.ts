import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { CommandContext } from '../commands/command-declaration.ts';
import { UsageError } from '../usage-error.ts';
import { type PipelineWords, splitWords } from './split-words.ts';

interface Words {
  readonly words: readonly string[];
  readonly context: Pick<CommandContext, 'workingDirectory'>;
  /** How many words may follow the file. */
  readonly mostNames: number;
}

/** The words of a command that takes a pipeline file only to find its store: the file has to be there, no more. */
export function namedFile({ words, context, mostNames }: Words): PipelineWords {
  const split = splitWords(words);
  const { file, names } = split;
  if (names.length > mostNames)
    throw new UsageError({
      message: `unexpected argument \`${names[mostNames]}\``,
      help: 'a pipeline file ends in .yaml or .yml, and comes first',
    });
  if (file !== undefined && !existsSync(resolve(context.workingDirectory, file)))
    throw new UsageError({ message: `there is no file \`${file}\`` });
  return split;
}
