import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { parseTokenizerObject } from '../tokenizer/tokenizer.ts';
import { type ChatTemplate, chatTemplate } from './chat-template.ts';

interface ChatTemplateFiles {
  /** A tokenizer's folder; without it the template knows no token by name. */
  readonly folder?: string | undefined;
  /** A template instead of the folder's default: its name here or in the folder, or its source. */
  readonly given?: string | undefined;
}

/** The template for a conversation, which may have tools. */
export type TemplateChoice = (hasTools: boolean) => ChatTemplate;

/**
 * Opens the given chat template, or those of a tokenizer's folder: as in transformers, `tool_use` is for conversations
 * with tools and `default` for all others. Throws a UserError if there is none, or none by the given name.
 */
export async function openChatTemplate({ folder, given }: ChatTemplateFiles): Promise<TemplateChoice> {
  const config = folder === undefined ? {} : await readConfig(join(folder, 'tokenizer_config.json'));
  const namedTokens = namedTokensOf(config);
  const known = given === undefined ? undefined : knownSource(given);
  if (known !== undefined) return always(chatTemplate({ source: known, namedTokens }));
  const sources = folder === undefined ? new Map<string, string>() : await ownSources(folder, config);
  const names = [...sources.keys()];
  if (given !== undefined) {
    const source = sources.get(given);
    if (source === undefined) throw noSuchTemplate(given, names);
    return always(chatTemplate({ source, namedTokens }));
  }
  if (names.length === 0) throw noTemplate();
  const opened = new Map<string, ChatTemplate>();
  return (hasTools) => {
    const name = hasTools && sources.has('tool_use') ? 'tool_use' : 'default';
    const source = sources.get(name);
    if (source === undefined) throw noDefault(names);
    const template = opened.get(name) ?? chatTemplate({ source, namedTokens });
    opened.set(name, template);
    return template;
  };
}

const always =
  (template: ChatTemplate): TemplateChoice =>
  () =>
    template;

/** The source of a template with a name here; a text with a tag of Jinja is a source itself. Undefined for other names. */
export const knownSource = (given: string): string | undefined =>
  isKnownName(given) ? namedChatTemplates[given] : /\{[{%#]/.test(given) ? given : undefined;

const isKnownName = (name: string): name is keyof typeof namedChatTemplates =>
  Object.hasOwn(namedChatTemplates, name);

const knownNames = (): string => Object.keys(namedChatTemplates).join(', ');

/** Name -> source of a folder's templates: of its files if it has any, else those in tokenizer_config.json. */
async function ownSources(
  folder: string,
  { chat_template: own }: JsonObject,
): Promise<ReadonlyMap<string, string>> {
  const more = join(folder, 'additional_chat_templates');
  const files = (await readdir(more).catch(() => [])).filter((file) => file.endsWith('.jinja')).toSorted();
  const main = await readFile(join(folder, 'chat_template.jinja'), 'utf8').catch(() => undefined);
  const others = await Promise.all(
    files.map(
      async (file) => [file.slice(0, -'.jinja'.length), await readFile(join(more, file), 'utf8')] as const,
    ),
  );
  if (main !== undefined || others.length > 0)
    return new Map([...(main === undefined ? [] : [['default', main] as const]), ...others]);
  if (typeof own === 'string') return new Map([['default', own]]);
  return new Map(
    isList(own) ? own.flatMap(namedSource) : isObject(own) ? Object.entries(own).flatMap(textEntry) : [],
  );
}

const namedSource = (one: Json): readonly (readonly [string, string])[] =>
  isObject(one) && typeof one.name === 'string' && typeof one.template === 'string'
    ? [[one.name, one.template]]
    : [];

const textEntry = ([name, source]: readonly [string, Json]): readonly (readonly [string, string])[] =>
  typeof source === 'string' ? [[name, source]] : [];

const noTemplate = (): UserError =>
  new UserError({
    code: 'no-chat-template',
    message: 'the tokenizer has no chat template',
    help: `take an instruction-tuned model’s tokenizer, or name a template: \`template: { chat: chatml }\` (${knownNames()})`,
  });

const noDefault = (names: readonly string[]): UserError =>
  new UserError({
    code: 'no-chat-template',
    message: `the tokenizer has several chat templates and none is the default: ${names.join(', ')}`,
    help: `name one of them: \`template: { chat: ${names[0]} }\``,
  });

const noSuchTemplate = (given: string, names: readonly string[]): UserError =>
  new UserError({
    code: 'no-chat-template',
    message: `there is no chat template \`${given}\``,
    help: `name one of ${[knownNames(), ...names].join(', ')}${names.length > 0 ? ' (the last are the tokenizer’s)' : ''}, or write a source in Jinja`,
  });

/** `bos_token` and the like, which are strings or objects with a `content`. */
function namedTokensOf(config: JsonObject): Readonly<Record<string, string>> {
  const tokens = Object.entries(config).flatMap(([name, value]) => {
    const text = isObject(value) ? value.content : value;
    return name.endsWith('_token') && typeof text === 'string' ? [[name, text] as const] : [];
  });
  return Object.fromEntries(tokens);
}

const readConfig = async (path: string): Promise<JsonObject> =>
  parseTokenizerObject(path, await readFile(path, 'utf8').catch(() => '{}'));

/** Name -> source of the chat templates that many models share, as their makers describe them. */
export const namedChatTemplates = {
  /** Qwen, SmolLM and many others. */
  chatml:
    "{% for message in messages %}{{ '<|im_start|>' ~ message.role ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
  llama3:
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\\n\\n' ~ message.content | trim ~ '<|eot_id|>' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}",
  phi3:
    "{% for message in messages %}{{ '<|' ~ message.role ~ '|>\\n' ~ message.content ~ '<|end|>\\n' }}{% endfor %}" +
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% else %}{{ eos_token }}{% endif %}",
  /** A system message comes before the first instruction. */
  mistral:
    "{{ bos_token }}{% set start = 1 if messages[0].role == 'system' else 0 %}{% for message in messages[start:] %}" +
    "{% if message.role == 'user' %}{{ '[INST] ' ~ (messages[0].content ~ '\\n\\n' if start and loop.first else '') ~ message.content ~ ' [/INST]' }}" +
    "{% else %}{{ ' ' ~ message.content | trim ~ eos_token }}{% endif %}{% endfor %}",
} as const satisfies Readonly<Record<string, string>>;
