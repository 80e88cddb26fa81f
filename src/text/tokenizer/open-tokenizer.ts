import { access, copyFile, cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../core/index.ts';
import { openEncoding } from './encoding-tokenizer.ts';
import { type EncodingName, encodingNames, isEncodingName } from './encodings.ts';
import { openJsonTokenizer } from './json-tokenizer.ts';
import { parseTokenizerObject, type Tokenizer } from './tokenizer.ts';

const tokenizerJson = 'tokenizer.json';
const tokenizerConfig = 'tokenizer_config.json';
const chatTemplate = 'chat_template.jinja';
/** A folder of templates with other names than the default. */
const moreChatTemplates = 'additional_chat_templates';
const encodingJson = 'encoding.json';

/** Opens the tokenizer of a folder from encoding.json or tokenizer.json. Throws a UserError if neither can be used. */
export async function openTokenizer(folder: string): Promise<Tokenizer> {
  const encoding = await readIfThere(join(folder, encodingJson));
  if (encoding !== undefined) return openEncoding(encodingNamed(join(folder, encodingJson), encoding));
  const path = join(folder, tokenizerJson);
  const text = await readIfThere(path);
  if (text === undefined) throw noTokenizer(folder);
  const config = await readIfThere(join(folder, tokenizerConfig));
  return openJsonTokenizer({
    path,
    text,
    config: parseTokenizerObject(join(folder, tokenizerConfig), config ?? '{}'),
  });
}

/** Opens a single tokenizer.json, whatever its name. */
export const openTokenizerFile = async (path: string): Promise<Tokenizer> =>
  openJsonTokenizer({ path, text: await readFile(path, 'utf8'), config: {} });

/** Copies the tokenizer that `openTokenizer` would open, and its chat templates, to another folder. */
export async function copyTokenizer({ from, to }: { from: string; to: string }): Promise<void> {
  const hasEncoding = await isThere(join(from, encodingJson));
  if (!hasEncoding && !(await isThere(join(from, tokenizerJson)))) throw noTokenizer(from);
  const names = hasEncoding ? [encodingJson, chatTemplate] : [tokenizerJson, tokenizerConfig, chatTemplate];
  for (const name of names) {
    if (await isThere(join(from, name))) await copyFile(join(from, name), join(to, name));
  }
  if (await isThere(join(from, moreChatTemplates)))
    await cp(join(from, moreChatTemplates), join(to, moreChatTemplates), { recursive: true });
}

/** Makes the named encoding the folder's tokenizer. */
export async function writeEncodingName(folder: string, name: EncodingName): Promise<void> {
  await writeFile(join(folder, encodingJson), `${JSON.stringify({ encoding: name })}\n`);
}

function encodingNamed(path: string, text: string): EncodingName {
  const { encoding } = parseTokenizerObject(path, text);
  if (typeof encoding === 'string' && isEncodingName(encoding)) return encoding;
  throw new UserError({
    code: 'unknown-encoding',
    message: `${path} names the encoding ${JSON.stringify(encoding ?? null)}, which is unknown`,
    help: `the encodings are ${encodingNames.join(', ')}; GPT-2's is r50k_base`,
  });
}

function noTokenizer(folder: string): UserError {
  return new UserError({
    code: 'no-tokenizer',
    message: `${folder} has neither a tokenizer.json nor an encoding.json`,
    help: 'put the model\'s tokenizer.json there, or for GPT-2 an encoding.json with {"encoding": "r50k_base"}',
  });
}

async function readIfThere(path: string): Promise<string | undefined> {
  return (await isThere(path)) ? readFile(path, 'utf8') : undefined;
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
