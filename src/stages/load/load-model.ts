import { constants, copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModelFolder } from '../../model/folder/open-model-folder.ts';
import { untiedModel } from '../../model/folder/untied-model.ts';
import { writeModelFolder } from '../../model/folder/write-model-folder.ts';
import { copyTokenizer, openTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { UserError } from '../../user-error.ts';
import type { Folder } from '../ports/port-contents.ts';
import { endpointName } from './model-address.ts';

/** Beside the tokenizer, what a model's folder holds in Hugging Face's layout. */
const modelFile = /^(config|generation_config|model\.safetensors\.index)\.json$|^model.*\.safetensors$/;

/** Where a model and its tokenizer are written to; a model behind an endpoint has no tokenizer. */
export interface ModelOutputs {
  readonly model: Folder;
  readonly tokenizer: Folder | undefined;
}

export interface ModelToLoad extends ModelOutputs {
  /** A folder, or `openai:<name>`. */
  readonly source: string;
  readonly untieHead: boolean;
}

/** Copies a model's folder and its tokenizer after a check that they can be used, or names a model behind an endpoint. */
export async function loadModel({ source, untieHead, ...outputs }: ModelToLoad): Promise<void> {
  const name = endpointName(source);
  if (name !== undefined) {
    const endpoint = { provider: 'openai', model: name };
    return writeFile(join(outputs.model.path, 'endpoint.json'), `${JSON.stringify(endpoint)}\n`);
  }
  await using model = await openModelFolder(source);
  await checkVocabulary(source, model.config.vocabularySize);
  if (untieHead && model.config.tied) await writeModelFolder(outputs.model.path, untiedModel(model));
  else await copyModel(source, outputs.model.path);
  await copyTokenizer({ from: source, to: outputs.model.path });
  if (outputs.tokenizer) await copyTokenizer({ from: source, to: outputs.tokenizer.path });
}

async function copyModel(source: string, target: string): Promise<void> {
  for (const file of (await readdir(source)).filter((entry) => modelFile.test(entry)))
    await copyFile(join(source, file), join(target, file), constants.COPYFILE_FICLONE);
}

/** Throws where the tokenizer has more tokens than the model knows. */
async function checkVocabulary(folder: string, vocabularySize: number): Promise<void> {
  const tokenizer = await openTokenizer(folder);
  if (tokenizer.vocabularySize <= vocabularySize) return;
  throw new UserError({
    code: 'vocabulary-mismatch',
    message: `the tokenizer in ${folder} has ${tokenizer.vocabularySize} tokens, its model ${vocabularySize}`,
    help: 'a model works only with the tokenizer that it was trained with',
  });
}
