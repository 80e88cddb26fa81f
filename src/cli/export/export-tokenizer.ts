import { chmod, copyFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJsonFile } from '../../model/json/read-json-file.ts';
import type { ModelConfig } from '../../model/model-config.ts';
import { isEncodingName } from '../../text/tokenizer/encoding-tokenizer.ts';
import { encodingTokenizerJson } from '../../text/tokenizer/encoding-tokenizer-json.ts';

interface TokenizerToExport {
  readonly from: string;
  readonly to: string;
  readonly config: ModelConfig;
}

const tokenizerFile =
  /^(tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab)\.json$|^merges\.txt$|^chat_template\.jinja$/;

/** Copies a model's tokenizer and its chat template; an encoding that is only named is written out as tokenizer.json. */
export async function exportTokenizer({ from, to, config }: TokenizerToExport): Promise<void> {
  const files = (await readdir(from)).filter((name) => tokenizerFile.test(name));
  for (const name of files) {
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
  await writeFile(join(to, 'tokenizer_config.json'), `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** GPT-2's in its older two files too, which other programs read. */
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

/** The token that config.json names as the end of a text. */
async function endOfTextIn(path: string, { json }: ModelConfig): Promise<string | undefined> {
  const tokenizer = await readJsonFile(path);
  const added = isObject(tokenizer) && Array.isArray(tokenizer.added_tokens) ? tokenizer.added_tokens : [];
  const [id] = [json.eos_token_id ?? null].flat();
  const token: unknown = added.find((each: unknown) => isObject(each) && each.id === id);
  return isObject(token) && typeof token.content === 'string' ? token.content : undefined;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
