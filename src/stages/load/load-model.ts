import { existsSync } from 'node:fs';
import { constants, copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import {
  copyAuxiliaryFiles,
  type ModelFolder,
  openGgufModel,
  openModelFolder,
  openOpenaiCheckpoint,
  readModelConfig,
  untiedModel,
  writeModelFolder,
} from '../../model/index.ts';
import { copyTokenizer, openTokenizer, writeGgufTokenizer, writeOpenaiTokenizer } from '../../text/index.ts';
import { refuseAdapter } from '../models/adapter.ts';
import type { Folder } from '../ports/port-contents.ts';
import { endpointName } from './model-address.ts';

interface ModelToLoad {
  /** A folder, a GGUF file, or `openai:<name>`. */
  readonly source: string;
  readonly untieHead: boolean;
  readonly model: Folder;
  /** A model behind an endpoint has no tokenizer. */
  readonly tokenizer: Folder | undefined;
  /** Called with what was ignored or taken otherwise than the model's files say. */
  readonly onNote: (message: string) => void;
}

/**
 * Copies a model's folder and its tokenizer after checking that they can be used, converts a GGUF file or OpenAI's
 * checkpoint, or writes down the name of a model behind an endpoint.
 */
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
  if (isFile) {
    await using gguf = await openGgufModel(source);
    await writeGgufTokenizer(outputs.model.path, gguf);
    return await writeConverted(gguf, { source, untieHead, ...outputs });
  }
  if (isOpenaiCheckpoint(source)) {
    await using checkpoint = await openOpenaiCheckpoint(source);
    await writeOpenaiTokenizer({ from: source, to: outputs.model.path });
    return await writeConverted(checkpoint, { source, untieHead, ...outputs });
  }
  refuseAdapter(source);
  await using model = await openModelFolder(source);
  const { vocabularySize, tied, notes } = model.config;
  await checkVocabulary(source, { tokenizerFolder: source, vocabularySize });
  if (untieHead && tied) await writeModelFolder(outputs.model.path, untiedModel(model));
  else await copyModel(model, outputs.model.path);
  notes.forEach(outputs.onNote);
  await copyTokenizer({ from: source, to: outputs.model.path });
  await copyAuxiliaryFiles({ from: source, to: outputs.model.path });
  if (outputs.tokenizer) await copyTokenizer({ from: source, to: outputs.tokenizer.path });
}

/** Throws a UserError if a model's configuration or tokenizer, or the header of a GGUF file, is not supported. Reads no weights. */
export async function inspectModel(path: string): Promise<void> {
  if (isOpenaiCheckpoint(path)) return;
  refuseAdapter(path);
  if ((await stat(path)).isFile()) await (await openGgufModel(path))[Symbol.asyncDispose]();
  else {
    await readModelConfig(path);
    await openTokenizer(path);
  }
}

/** The files of the model itself in Hugging Face's layout. */
const modelFile = /^(config|model\.safetensors\.index)\.json$|^model.*\.safetensors$/;

/** Copies a model byte for byte, except for a config.json that ties a head which is not. */
async function copyModel({ path, config }: ModelFolder, target: string): Promise<void> {
  const isUntied = (await readModelConfig(path)).tied && !config.tied;
  for (const file of (await readdir(path)).filter((entry) => modelFile.test(entry)))
    if (file === 'config.json' && isUntied)
      await writeFile(join(target, file), `${JSON.stringify(config.json, undefined, 2)}\n`);
    else await copyFile(join(path, file), join(target, file), constants.COPYFILE_FICLONE);
}

/** Writes a model of another format in Hugging Face's layout, in float32, beside its tokenizer, which is already there. */
async function writeConverted(
  converted: ModelFolder,
  { source, untieHead, model, tokenizer }: ModelToLoad,
): Promise<void> {
  const { vocabularySize, tied } = converted.config;
  await checkVocabulary(source, { tokenizerFolder: model.path, vocabularySize });
  if (tokenizer) await copyTokenizer({ from: model.path, to: tokenizer.path });
  await writeModelFolder(model.path, untieHead && tied ? untiedModel(converted) : converted);
}

/** Whether a folder is GPT-2 as OpenAI released it. */
const isOpenaiCheckpoint = (folder: string): boolean =>
  existsSync(join(folder, 'hparams.json')) && !existsSync(join(folder, 'config.json'));

/** Throws if the tokenizer has more tokens than the model. `source` is where the model comes from. */
async function checkVocabulary(
  source: string,
  { tokenizerFolder, vocabularySize }: { readonly tokenizerFolder: string; readonly vocabularySize: number },
): Promise<void> {
  const tokenizer = await openTokenizer(tokenizerFolder);
  if (tokenizer.vocabularySize <= vocabularySize) return;
  throw new UserError({
    code: 'vocabulary-mismatch',
    message: `the tokenizer in ${source} has ${tokenizer.vocabularySize} tokens, its model ${vocabularySize}`,
    help: 'a model works only with the tokenizer that it was trained with',
  });
}
