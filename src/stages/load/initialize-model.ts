import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadConfig } from '../../generated/load-config.ts';
import { writeModelFolder } from '../../model/folder/write-model-folder.ts';
import { initialModel } from '../../model/initial-model.ts';
import { openEncoding } from '../../text/tokenizer/encoding-tokenizer.ts';
import {
  copyTokenizer,
  openTokenizer,
  openTokenizerFile,
  writeEncodingName,
} from '../../text/tokenizer/open-tokenizer.ts';
import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import { UserError } from '../../user-error.ts';
import type { Folder } from '../ports/port-contents.ts';

type Initialization = NonNullable<LoadConfig['init']>;

/** Writes a model with fresh random weights, and its tokenizer. */
export async function initializeModel(
  init: Initialization,
  outputs: { readonly model: Folder; readonly tokenizer: Folder },
): Promise<void> {
  const model = outputs.model;
  const tokenizer = await takeTokenizer(init, model.path);
  await copyTokenizer({ from: model.path, to: outputs.tokenizer.path });
  const { family, width, layers, heads, tied, seed } = init;
  const vocabularySize = init.vocabulary_size ?? tokenizer.vocabularySize;
  if (vocabularySize < tokenizer.vocabularySize) {
    throw new UserError({
      code: 'vocabulary-too-small',
      message: `vocabulary_size ${vocabularySize} is less than the ${tokenizer.vocabularySize} tokens of the tokenizer`,
      help: 'leave `vocabulary_size` out, or raise it',
    });
  }
  const sizes = { vocabularySize, contextLength: init.context_length, width, layers, heads };
  await writeModelFolder(
    model.path,
    initialModel({ family, ...sizes, tied, seed, endOfText: tokenizer.endOfText }),
  );
}

/**
 * Writes the tokenizer into the folder and opens it, from where the user has it: what is wrong with it is told by that
 * path. A path to a file is that file alone: what stands beside it is not part of the stage's key.
 */
async function takeTokenizer(
  { encoding, tokenizer: source }: Initialization,
  folder: string,
): Promise<Tokenizer> {
  if (encoding !== undefined) {
    await writeEncodingName(folder, encoding);
    return openEncoding(encoding);
  }
  if (source === undefined) throw new Error('neither an encoding nor a tokenizer was given'); // `check` refuses it.
  const isFolder = (await stat(source)).isDirectory();
  const tokenizer = await (isFolder ? openTokenizer(source) : openTokenizerFile(source));
  if (isFolder) await copyTokenizer({ from: source, to: folder });
  else await copyFile(source, join(folder, 'tokenizer.json'));
  return tokenizer;
}
