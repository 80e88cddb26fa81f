import { constants, copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { copyCompanions } from '../../model/folder/copy-companions.ts';
import { openModelFolder } from '../../model/folder/open-model-folder.ts';
import { untiedModel } from '../../model/folder/untied-model.ts';
import { writeModelFolder } from '../../model/folder/write-model-folder.ts';
import { copyTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { checkVocabulary } from './check-vocabulary.ts';
import { loadGguf } from './load-gguf.ts';
import { isOpenaiCheckpoint, loadOpenaiCheckpoint } from './load-openai-checkpoint.ts';
import { endpointName } from './model-address.ts';
import type { ModelToLoad } from './model-to-load.ts';

/** What a model's folder holds of the model itself in Hugging Face's layout. */
const modelFile = /^(config|model\.safetensors\.index)\.json$|^model.*\.safetensors$/;

/** Copies a model's folder and its tokenizer after a check that they can be used, converts a GGUF file or OpenAI's checkpoint, or names a model behind an endpoint. */
export async function loadModel({ source, untieHead, ...outputs }: ModelToLoad): Promise<void> {
  const name = endpointName(source);
  if (name !== undefined) {
    const endpoint = { provider: 'openai', model: name };
    return writeFile(join(outputs.model.path, 'endpoint.json'), `${JSON.stringify(endpoint)}\n`);
  }
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) return loadGguf({ source, untieHead, ...outputs });
  if (await isOpenaiCheckpoint(source)) return loadOpenaiCheckpoint({ source, untieHead, ...outputs });
  await using model = await openModelFolder(source);
  const { vocabularySize } = model.config;
  await checkVocabulary({ source, tokenizerFolder: source, vocabularySize });
  if (untieHead && model.config.tied) await writeModelFolder(outputs.model.path, untiedModel(model));
  else await copyModel(source, outputs.model.path);
  await copyTokenizer({ from: source, to: outputs.model.path });
  await copyCompanions({ from: source, to: outputs.model.path });
  if (outputs.tokenizer) await copyTokenizer({ from: source, to: outputs.tokenizer.path });
}

async function copyModel(source: string, target: string): Promise<void> {
  for (const file of (await readdir(source)).filter((entry) => modelFile.test(entry)))
    await copyFile(join(source, file), join(target, file), constants.COPYFILE_FICLONE);
}
