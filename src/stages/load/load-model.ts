import { existsSync } from 'node:fs';
import { constants, copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import {
  copyAuxiliaryFiles,
  isQuantizedFolder,
  type ModelFolder,
  type ModelToWrite,
  openGgufModel,
  openModelFolder,
  openOpenaiCheckpoint,
  readModelConfig,
  untiedModel,
  writeModelFolder,
  writeQuantizedFolder,
} from '../../model/index.ts';
import { copyTokenizer, openTokenizer, writeGgufTokenizer, writeOpenaiTokenizer } from '../../text/index.ts';
import type { Folder } from '../ports/port-contents.ts';
import { type VocabularyChange, withVocabulary } from './extend-model.ts';
import { refuseAdapter } from './load-adapter.ts';
import { endpointName } from './model-address.ts';

interface ModelToLoad {
  /** A folder, a GGUF file, or `openai:<name>`. */
  readonly source: string;
  readonly untieHead: boolean;
  /** Leaves the weights of a GGUF file as they are. */
  readonly keepsQuantized: boolean;
  readonly vocabulary?: VocabularyChange;
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
export async function loadModel(given: ModelToLoad): Promise<void> {
  const { source, model: target, tokenizer } = given;
  const name = endpointName(source);
  if (name !== undefined) {
    const endpoint = { provider: 'openai', model: name };
    return writeFile(join(target.path, 'endpoint.json'), `${JSON.stringify(endpoint)}\n`);
  }
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => false,
  );
  if (isFile) {
    await using gguf = await openGgufModel(source);
    await writeGgufTokenizer(target.path, gguf);
    return await writeConverted(gguf, { ...given, gguf: source });
  }
  refuseUnquantized(source, { keep_quantized: given.keepsQuantized });
  if (isOpenaiCheckpoint(source)) {
    await using checkpoint = await openOpenaiCheckpoint(source);
    await writeOpenaiTokenizer({ from: source, to: target.path });
    return await writeConverted(checkpoint, given);
  }
  refuseAdapter(source);
  await using model = await openModelFolder(source);
  const { vocabularySize, notes } = model.config;
  await checkVocabulary(source, { tokenizerFolder: source, vocabularySize });
  await copyTokenizer({ from: source, to: target.path });
  await copyAuxiliaryFiles({ from: source, to: target.path });
  const changed = await changedModel(model, given);
  if (changed !== undefined) await writeModelFolder(target.path, changed);
  else if (isQuantizedFolder(source) && !given.keepsQuantized) await writeModelFolder(target.path, model);
  else await copyModel(model, target.path);
  notes.forEach(given.onNote);
  if (tokenizer) await copyTokenizer({ from: target.path, to: tokenizer.path });
}

/** The model with what the stage changes in it, whose new tokens are then in its folder; undefined if it changes nothing. */
async function changedModel(
  model: ModelFolder,
  { untieHead, vocabulary, model: target, onNote }: ModelToLoad,
): Promise<ModelToWrite | undefined> {
  const untied = untieHead && model.config.tied ? untiedModel(model) : undefined;
  const resized = await withVocabulary(
    { ...model, ...untied },
    { ...vocabulary, folder: target.path, onNote },
  );
  return resized ?? untied;
}

/** Throws a UserError if a model's configuration or tokenizer, or the header of a GGUF file, is not supported. Reads no weights. */
export async function inspectModel(path: string, config: Pick<LoadConfig, 'keep_quantized'>): Promise<void> {
  const isFile = (await stat(path)).isFile();
  if (!isFile) refuseUnquantized(path, config);
  if (isOpenaiCheckpoint(path)) return;
  refuseAdapter(path);
  if (isFile) await (await openGgufModel(path))[Symbol.asyncDispose]();
  else {
    await readModelConfig(path);
    await openTokenizer(path);
  }
}

/** Throws if the weights of a folder shall stay in blocks, and are in none. */
function refuseUnquantized(
  folder: string,
  { keep_quantized: keeps }: Pick<LoadConfig, 'keep_quantized'>,
): void {
  if (!keeps || isQuantizedFolder(folder)) return;
  throw new UserError({
    code: 'not-quantized',
    message: `\`keep_quantized\` keeps the weights of a GGUF file, and ${folder} is a folder without one`,
    help: 'leave it out, or name the GGUF file: a path, or hf:owner/name:file.gguf',
  });
}

/** The files of the model itself. */
const modelFile = /^(config|model\.safetensors\.index)\.json$|^model.*\.safetensors$|^model\.gguf$/;

/** Copies a model byte for byte, except for a config.json that ties a head which is not. */
async function copyModel({ path, config }: ModelFolder, target: string): Promise<void> {
  const isUntied = (await readModelConfig(path)).tied && !config.tied;
  for (const file of (await readdir(path)).filter((entry) => modelFile.test(entry)))
    if (file === 'config.json' && isUntied)
      await writeFile(join(target, file), `${JSON.stringify(config.json, undefined, 2)}\n`);
    else await copyFile(join(path, file), join(target, file), constants.COPYFILE_FICLONE);
}

/**
 * Writes a model of another format in Hugging Face's layout, beside its tokenizer, which is already there: in float32, or as
 * the GGUF file that it comes from.
 */
async function writeConverted(
  converted: ModelFolder,
  given: ModelToLoad & { readonly gguf?: string },
): Promise<void> {
  const { source, model, tokenizer, keepsQuantized, gguf } = given;
  const { vocabularySize } = converted.config;
  await checkVocabulary(source, { tokenizerFolder: model.path, vocabularySize });
  const changed = await changedModel(converted, given);
  if (tokenizer) await copyTokenizer({ from: model.path, to: tokenizer.path });
  if (keepsQuantized && gguf !== undefined)
    await writeQuantizedFolder(model.path, { config: converted.config, gguf });
  else await writeModelFolder(model.path, changed ?? converted);
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
