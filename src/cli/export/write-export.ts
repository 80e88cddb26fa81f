import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isObject, type JsonObject } from '../../core/index.ts';
import { readJsonFile } from '../../formats/index.ts';
import { exportWeights, type ModelConfig, openModelFolder } from '../../model/index.ts';
import { parseMemory } from '../../runtime/index.ts';
import { encodingTokenizerJson, isEncodingName } from '../../text/index.ts';
import { UsageError } from '../exit-code.ts';
import { exportAdapter } from './export-adapter.ts';
import { type ExportOptions, isGguf, isGgufAdapter, plainType } from './export-options.ts';
import { adapterBase, type BaseModel, baseModelOf, type ExportSource } from './export-source.ts';
import { modelCard } from './model-card.ts';
import { writeGgufExport } from './write-gguf-export.ts';

interface Export {
  readonly source: ExportSource;
  readonly options: ExportOptions;
}

/**
 * Fills a folder with a model or its adapter, and everything that other programs need to load it. Returns notes for the
 * user.
 */
export async function writeExport(folder: string, { source, options }: Export): Promise<readonly string[]> {
  if (existsSync(join(source.path, 'endpoint.json')))
    throw new UsageError({ message: 'a model behind an endpoint has no weights to export' });
  const adapter = join(source.path, 'adapter');
  const { format } = options;
  const needsAdapter = format === 'merged' || format === 'peft' || isGgufAdapter(format);
  if (needsAdapter && !existsSync(join(adapter, 'adapter_config.json')))
    throw new UsageError({
      message: `the model has no adapter: it was not trained with LoRA`,
      help: `export the whole model with --format ${wholeFormats[format]}`,
    });
  await using model = await openModelFolder(source.path);
  const base = await baseModelOf(source);
  const card = await modelCard({ source, options, base, config: model.config });
  await writeFile(join(folder, 'README.md'), card);
  if (isGguf(format))
    return await writeGgufExport(folder, {
      model,
      options,
      name: source.origin?.dag.name ?? 'model',
      generation: await generationConfig(source.path, model.config.json),
    });
  const notes: string[] = [];
  if (format === 'peft')
    notes.push(...(await exportAdapter(folder, { model, base: adapterBase(base, options) })));
  else {
    const shardBytes = parseSize(options.maxShardSize);
    await exportWeights(folder, { model, type: plainType(options) ?? 'float32', shardBytes });
    await writeJson(
      join(folder, 'generation_config.json'),
      await generationConfig(source.path, model.config.json),
    );
  }
  await exportTokenizer({ from: source.path, to: folder, config: model.config });
  const isBaseNamed = format !== 'peft' || adapterBase(base, options) !== undefined;
  return [...notes, ...(isBaseNamed ? [] : [unnamedBase(base)])];
}

/** A format of adapters -> that of the whole model for the same program. */
const wholeFormats: Partial<Record<ExportOptions['format'], ExportOptions['format']>> = {
  ...{ merged: 'hf', peft: 'hf', 'gguf-lora': 'gguf', 'ollama-lora': 'ollama' },
};

function unnamedBase({ stage, file }: BaseModel): string {
  const why =
    file === undefined ? 'as that does not come from the hub' : `as its weights come from the file ${file}`;
  const which = file === undefined ? 'it' : 'the model that the file was made of';
  const also = stage === undefined ? '' : `, or export it too with \`tuneloom export ${stage} --to base\``;
  return `the adapter names no base model, ${why}: name ${which} with --base${also}`;
}

/** The model's own file, else the fields of its config.json that concern generation. */
async function generationConfig(path: string, config: JsonObject): Promise<JsonObject> {
  const own = await readJsonFile(join(path, 'generation_config.json'));
  if (isObject(own)) return own;
  const names = ['bos_token_id', 'eos_token_id', 'pad_token_id'];
  return Object.fromEntries(names.flatMap((name) => (config[name] == null ? [] : [[name, config[name]]])));
}

function parseSize(text: string): number {
  const bytes = parseMemory(text);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new UsageError({ message: `\`${text}\` is not a size`, help: 'write it as 5GB or 500MiB' });
}

const writeJson = (path: string, value: object) =>
  writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`);

const tokenizerFile =
  /^((tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json|merges\.txt|chat_template\.jinja|additional_chat_templates[/\\][^/\\]+\.jinja)$/;

/** Copies a model's tokenizer and chat templates; an encoding that the model only names is written as tokenizer.json. */
async function exportTokenizer({
  from,
  to,
  config,
}: {
  readonly from: string;
  readonly to: string;
  readonly config: ModelConfig;
}): Promise<void> {
  const files = (await readdir(from, { recursive: true })).filter((name) => tokenizerFile.test(name));
  for (const name of files) {
    await mkdir(dirname(join(to, name)), { recursive: true });
    await copyFile(join(from, name), join(to, name));
    await chmod(join(to, name), 0o644); // results in the store are read-only
  }
  const endOfText = files.includes('tokenizer.json')
    ? await endOfTextIn(join(from, 'tokenizer.json'), config)
    : await exportEncoding(from, to);
  if (files.includes('tokenizer_config.json')) return;
  const settings = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    ...(endOfText && { bos_token: endOfText, eos_token: endOfText, unk_token: endOfText }),
    model_max_length: config.contextLength,
    clean_up_tokenization_spaces: false,
    add_prefix_space: false,
  };
  await writeJson(join(to, 'tokenizer_config.json'), settings);
}

/** Writes an encoding as tokenizer.json; GPT-2's also as vocab.json and merges.txt, which older programs read. */
async function exportEncoding(from: string, to: string): Promise<string | undefined> {
  const named = await readJsonFile(join(from, 'encoding.json'));
  const encoding = isObject(named) ? named.encoding : undefined;
  if (typeof encoding !== 'string' || !isEncodingName(encoding)) return undefined;
  const tokenizer = await encodingTokenizerJson(encoding);
  await writeFile(join(to, 'tokenizer.json'), `${JSON.stringify(tokenizer)}\n`);
  const { model } = tokenizer;
  if (encoding === 'r50k_base' && isObject(model)) {
    await writeFile(join(to, 'vocab.json'), `${JSON.stringify(model.vocab)}\n`);
    const merges = Array.isArray(model.merges) ? model.merges.join('\n') : '';
    await writeFile(join(to, 'merges.txt'), `#version: 0.2\n${merges}\n`);
  }
  return '<|endoftext|>';
}

/** The end-of-text token that config.json names. */
async function endOfTextIn(path: string, { json }: ModelConfig): Promise<string | undefined> {
  const tokenizer = await readJsonFile(path);
  const added = isObject(tokenizer) && Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : [];
  const [id] = [json.eos_token_id ?? null].flat();
  const token: unknown = added.find((each: unknown) => isObject(each) && each.id === id);
  return isObject(token) && typeof token.content === 'string' ? token.content : undefined;
}
