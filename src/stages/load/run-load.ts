import { copyFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes, formatCount, UserError } from '../../core/index.ts';
import { elementCount } from '../../formats/index.ts';
import type { LoadConfig } from '../../generated/load-config.ts';
import {
  initialModel,
  type ModelConfig,
  memoryLimit,
  parameterLayout,
  writeModelFolder,
} from '../../model/index.ts';
import {
  copyTokenizer,
  openEncoding,
  openTokenizer,
  openTokenizerFile,
  type Tokenizer,
  writeEncodingName,
} from '../../text/index.ts';
import { implementStage } from '../implement-stage.ts';
import type { Folder } from '../ports/port-contents.ts';
import { type VocabularyChange, withTokens } from './extend-model.ts';
import { loadAdapterFolder } from './load-adapter.ts';
import { loadModel } from './load-model.ts';
import { readRecords } from './read-records.ts';

export const { run } = implementStage<LoadConfig>()({
  inputs: {},
  outputs: {
    records: 'records?',
    model: 'model?',
    tokenizer: 'tokenizer?',
    adapter: 'adapter?',
    adapters: 'adapter[part]',
  },
  async run({ config, outputs, host }) {
    const { records, model: source, untie_head: untieHead, init } = config;
    const { model, tokenizer } = outputs;
    if (records !== undefined && outputs.records) {
      const onNote = (message: string) => host.report({ type: 'note', level: 'info', message });
      for await (const { record } of readRecords({ ...config, records }, onNote))
        await outputs.records.write(record);
      return;
    }
    const onNote = (message: string) => host.report({ type: 'note', level: 'warning', message });
    const keepsQuantized = config.keep_quantized;
    if (source !== undefined && model)
      return loadModel({ source, untieHead, keepsQuantized, vocabulary: config, model, tokenizer, onNote });
    if (config.adapter !== undefined && outputs.adapter)
      return loadAdapterFolder(config.adapter, outputs.adapter);
    if (config.adapters !== undefined) {
      for (const [name, adapter] of Object.entries(outputs.adapters ?? {}))
        await loadAdapterFolder(config.adapters[name] ?? '', adapter);
      return;
    }
    if (init && model && tokenizer)
      return initializeModel(init, { model, tokenizer, vocabulary: config, onNote });
    throw new Error('The action lacks an output that its configuration declares');
  },
});

type Initialization = NonNullable<LoadConfig['init']>;

/** Writes a model with fresh random weights, and its tokenizer. */
export async function initializeModel(
  init: Initialization,
  {
    vocabulary = {},
    onNote = () => {},
    ...outputs
  }: {
    readonly model: Folder;
    readonly tokenizer: Folder;
    readonly vocabulary?: VocabularyChange;
    readonly onNote?: (message: string) => void;
  },
): Promise<void> {
  const model = outputs.model;
  const given = await takeTokenizer(init, model.path);
  const isExtended = (await withTokens({ ...vocabulary, folder: model.path, onNote })) !== undefined;
  const tokenizer = isExtended ? await openTokenizer(model.path) : given;
  await copyTokenizer({ from: model.path, to: outputs.tokenizer.path });
  const { family, width: hiddenSize, layers, heads, tied, seed } = init;
  const multiple = vocabulary.pad_vocabulary_to_multiple_of ?? 1;
  const vocabularySize = init.vocabulary_size ?? Math.ceil(tokenizer.vocabularySize / multiple) * multiple;
  if (vocabularySize < tokenizer.vocabularySize) {
    throw new UserError({
      code: 'vocabulary-too-small',
      message: `vocabulary_size ${vocabularySize} is less than the ${tokenizer.vocabularySize} tokens of the tokenizer`,
      help: 'leave `vocabulary_size` out, or raise it',
    });
  }
  const sizes = { vocabularySize, contextLength: init.context_length, hiddenSize, layers, heads };
  const initial = initialModel({ family, ...sizes, tied, seed, endOfText: tokenizer.endOfText });
  await checkSize(initial.config, model.path);
  await writeModelFolder(model.path, initial);
}

/** Throws before anything is written if the weights do not fit on the disk, or their largest tensor in memory. */
async function checkSize(config: ModelConfig, folder: string): Promise<void> {
  const bytes = [...parameterLayout(config).values()].map(({ shape }) => 4 * elementCount(shape));
  const total = bytes.reduce((sum, one) => sum + one, 0);
  const { bavail, bsize } = await statfs(folder);
  const found =
    total > bavail * bsize
      ? `${formatBytes(bavail * bsize)} are free on the disk`
      : Math.max(...bytes) > memoryLimit(undefined)
        ? `${formatBytes(memoryLimit(undefined))} of memory are available for its largest tensor`
        : undefined;
  if (found === undefined) return;
  throw new UserError({
    code: 'model-too-large',
    message: `the model would have ${formatCount(total / 4)} parameters (${formatBytes(total)}), and ${found}`,
    help: 'lower `width`, `layers`, `context_length` or `vocabulary_size`',
  });
}

/**
 * Writes the tokenizer into the folder and opens the user's own copy, so that errors show the user's path. A path to a
 * file means that file alone: other files in its folder are not part of the stage's key.
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
