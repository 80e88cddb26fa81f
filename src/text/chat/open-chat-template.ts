import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { isObject } from '../parse-record.ts';
import { type ChatTemplate, chatTemplate } from './chat-template.ts';
import { isChatTemplateName, namedChatTemplates } from './named-chat-templates.ts';

interface ChatTemplateFiles {
  /** A tokenizer's folder; without it no token has a name in the template. */
  readonly folder?: string | undefined;
  /** A template instead of the folder's: its name or its source. */
  readonly given?: string | undefined;
}

/** The chat template of a tokenizer's folder (chat_template.jinja, else in tokenizer_config.json), or the one that is given. */
export async function openChatTemplate({ folder, given }: ChatTemplateFiles): Promise<ChatTemplate> {
  const config = folder === undefined ? {} : await readConfig(join(folder, 'tokenizer_config.json'));
  const source = given === undefined ? await ownSource(folder ?? '', config) : chatTemplateSource(given);
  return chatTemplate({ source, namedTokens: namedTokensOf(config) });
}

/** The source that a name stands for; any other text is a source itself. */
export const chatTemplateSource = (given: string): string =>
  isChatTemplateName(given) ? namedChatTemplates[given] : given;

async function ownSource(folder: string, { chat_template: own }: JsonObject): Promise<string> {
  const file = await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => undefined);
  const source = file ?? (Array.isArray(own) ? defaultOf(own) : own);
  if (typeof source === 'string') return source;
  throw new UserError({
    code: 'no-chat-template',
    message: 'the tokenizer has no chat template',
    help: `take an instruction-tuned model’s tokenizer, or name a template: \`template: { chat: chatml }\` (${Object.keys(namedChatTemplates).join(', ')})`,
  });
}

/** Of several templates with names, the one that is meant where none is asked for. */
function defaultOf(templates: readonly Json[]): Json | undefined {
  const named = templates.find((one) => isObject(one) && one.name === 'default');
  return isObject(named) ? named.template : undefined;
}

/** `bos_token` and the like, which stand in the file as texts or as objects with their content. */
function namedTokensOf(config: JsonObject): Readonly<Record<string, string>> {
  const tokens = Object.entries(config).flatMap(([name, value]) => {
    const text = isObject(value) ? value.content : value;
    return name.endsWith('_token') && typeof text === 'string' ? [[name, text] as const] : [];
  });
  return Object.fromEntries(tokens);
}

async function readConfig(path: string): Promise<JsonObject> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  try {
    const value: Json = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {}
  throw new UserError({ code: 'bad-tokenizer', message: `${path} is not a JSON object` });
}
