import { constants, copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder } from '../../model/folder/open-model-folder.ts';
import { StageError } from '../../runtime/stage/stage-error.ts';
import { copyTokenizer, openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import type { Folder } from '../ports/port-contents.ts';
import { endpointModel } from './model-address.ts';

/** Beside the tokenizer, what a model's folder holds in Hugging Face's layout. */
const modelFile = /^(config|generation_config|model\.safetensors\.index)\.json$|^model.*\.safetensors$/;

/** Where a model and its tokenizer are written to; a model behind an endpoint has no tokenizer. */
export interface ModelOutputs {
  readonly model: Folder;
  readonly tokenizer: Folder | undefined;
}

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
