import { copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import { initialModel, writeModelFolder } from '../../model/index.ts';
import {
  copyTokenizer,
  type DataRecord,
  openEncoding,
  openTokenizer,
  openTokenizerFile,
  type Tokenizer,
  writeEncodingName,
} from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import type { Folder, Sink } from '../ports/port-contents.ts';
import { loadModel } from './load-model.ts';
import { readRecords } from './read-records.ts';

export const { run } = implementStage<LoadConfig>()({
  inputs: {},
  outputs: { records: 'records?', model: 'model?', tokenizer: 'tokenizer?' },
  async run({ config, outputs }) {
    const { records, model: source, untie_head: untieHead, init } = config;
    const { model, tokenizer } = outputs;
    if (records !== undefined && outputs.records)
      return writeRecords({ ...config, records }, outputs.records);
    if (source !== undefined && model) return loadModel({ source, untieHead, model, tokenizer });
    if (init && model && tokenizer) return initializeModel(init, { model, tokenizer });
    throw new Error('the action’s outputs are not those that its configuration declares');
  },
});

export async function writeRecords(
  config: LoadConfig & { readonly records: string },
  sink: Sink<DataRecord>,
): Promise<void> {
  for await (const { record } of readRecords(config)) await sink.write(record);
}

export type Initialization = NonNullable<LoadConfig['init']>;

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
export async function takeTokenizer(
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
