import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { untiedModel } from '../../model/folder/untied-model.ts';
import { writeModelFolder } from '../../model/folder/write-model-folder.ts';
import { openOpenaiCheckpoint } from '../../model/tensorflow/open-openai-checkpoint.ts';
import { copyTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { writeOpenaiTokenizer } from '../../text/tokenizer/openai-tokenizer.ts';
import { checkVocabulary } from './check-vocabulary.ts';
import type { ModelToLoad } from './model-to-load.ts';

/** Whether a folder is GPT-2 as OpenAI released it. */
export async function isOpenaiCheckpoint(folder: string): Promise<boolean> {
  const isThere = (name: string) =>
    access(join(folder, name)).then(
      () => true,
      () => false,
    );
  return (await isThere('hparams.json')) && !(await isThere('config.json'));
}

/** Converts OpenAI's checkpoint and its tokenizer to a folder in Hugging Face's layout. */
export async function loadOpenaiCheckpoint({
  source,
  untieHead,
  model,
  tokenizer,
}: ModelToLoad): Promise<void> {
  await using checkpoint = await openOpenaiCheckpoint(source);
  await writeOpenaiTokenizer({ from: source, to: model.path });
  const { vocabularySize } = checkpoint.config;
  await checkVocabulary({ source, tokenizerFolder: model.path, vocabularySize });
  if (tokenizer) await copyTokenizer({ from: model.path, to: tokenizer.path });
  await writeModelFolder(model.path, untieHead ? untiedModel(checkpoint) : checkpoint);
}
