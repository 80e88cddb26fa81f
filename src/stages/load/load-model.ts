import { constants, copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadConfig } from '../../generated/load-config.ts';
import { openModelFolder } from '../../model/folder/open-model-folder.ts';
import { writeModelFolder } from '../../model/folder/write-model-folder.ts';
import { initialModel } from '../../model/initial-model.ts';
import { StageError } from '../../runtime/stage/stage-error.ts';
import { copyTokenizer, openTokenizer, writeEncodingName } from '../../text/tokenizer/open-tokenizer.ts';
import { endpointModel } from './model-address.ts';
import type { ModelOutputs } from './run-load.ts';

/** Beside the tokenizer, what a model's folder holds in Hugging Face's layout. */
const modelFile = /^(config|generation_config|model\.safetensors\.index)\.json$|^model.*\.safetensors$/;

/** Copies a model's folder and its tokenizer after a check that they can be used, or names a model behind an endpoint. */
export async function loadModel(source: string, outputs: ModelOutputs): Promise<void> {
  const name = endpointModel(source);
  if (name !== undefined) {
    const endpoint = { provider: 'openai', model: name };
    return writeFile(join(outputs.model.path, 'endpoint.json'), `${JSON.stringify(endpoint)}\n`);
  }
  await checkModel(source);
  for (const file of (await readdir(source)).filter((entry) => modelFile.test(entry))) {
    await copyFile(join(source, file), join(outputs.model.path, file), constants.COPYFILE_FICLONE);
  }
  await copyTokenizer({ from: source, to: outputs.model.path });
  if (outputs.tokenizer) await copyTokenizer({ from: source, to: outputs.tokenizer.path });
}

/** Throws where the folder holds no model that is supported, or a tokenizer of more tokens than the model knows. */
async function checkModel(folder: string): Promise<void> {
  await using model = await openModelFolder(folder);
  const tokenizer = await openTokenizer(folder);
  if (tokenizer.vocabularySize <= model.config.vocabularySize) return;
  throw new StageError({
    code: 'vocabulary-mismatch',
    message: `the tokenizer in ${folder} has ${tokenizer.vocabularySize} tokens, its model ${model.config.vocabularySize}`,
    help: 'a model works only with the tokenizer that it was trained with',
  });
}

/** Writes a model with fresh random weights, and its tokenizer. */
export async function initializeModel(
  init: NonNullable<LoadConfig['init']>,
  { model, tokenizer: output }: Required<ModelOutputs>,
): Promise<void> {
  await writeTokenizer(init, model.path);
  if (output) await copyTokenizer({ from: model.path, to: output.path });
  const tokenizer = await openTokenizer(model.path);
  const { family, width, layers, heads, tied, seed } = init;
  const vocabularySize = init.vocabulary_size ?? tokenizer.vocabularySize;
  if (vocabularySize < tokenizer.vocabularySize) {
    throw new StageError({
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

/** A path to a file is that file alone: what stands beside it is not part of the stage's key. */
async function writeTokenizer(
  { encoding, tokenizer }: NonNullable<LoadConfig['init']>,
  folder: string,
): Promise<void> {
  if (encoding !== undefined) return writeEncodingName(folder, encoding);
  if (tokenizer === undefined) throw new Error('neither an encoding nor a tokenizer was given'); // `check` refuses it.
  if ((await stat(tokenizer)).isDirectory()) return copyTokenizer({ from: tokenizer, to: folder });
  await copyFile(tokenizer, join(folder, 'tokenizer.json'));
}
