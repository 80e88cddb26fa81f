import { UsageError } from '../usage-error.ts';

export interface PipelineWords {
  /** As it was typed; undefined where the command line names no file. */
  readonly file: string | undefined;
  /** Stages or references, in order. */
  readonly names: readonly string[];
}

/** A first word that ends in .yaml or .yml is the pipeline file; every other word names a stage. */
export function splitWords(words: readonly string[]): PipelineWords {
  const [first, ...rest] = words;
  const names = first !== undefined && isFile(first) ? rest : words;
  const late = names.find(isFile);
  if (late !== undefined) {
    throw new UsageError({
      message: `\`${late}\` stands where a stage is expected`,
      help: 'give one pipeline file, before the stages',
    });
  }
  if (first !== undefined && /\.lock\.ya?ml$/i.test(first)) {
    throw new UsageError({
      message: `\`${first}\` is a lock, not a pipeline`,
      help: `name the pipeline that it locks: ${first.replace(/\.lock(?=\.ya?ml$)/i, '')}`,
    });
  }
  return { file: names === words ? undefined : first, names };
}

const isFile = (word: string) => /\.ya?ml$/i.test(word);
