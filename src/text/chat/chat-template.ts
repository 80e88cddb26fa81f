import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { isObject, type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { boundedRange } from '../template/strict-template.ts';
import { parseTokenizerObject } from '../tokenizer/tokenizer.ts';
import type { ChatMessage } from './conversation.ts';

interface ChatRendering {
  readonly messages: readonly ChatMessage[];
  readonly tools?: Json | undefined;
  /** Whether to add the beginning of the assistant's answer. */
  readonly addGenerationPrompt: boolean;
  /** Written in place of `{% generation %}` and `{% endgeneration %}`. */
  readonly marks?: readonly [begin: string, end: string] | undefined;
}

interface ChatInput {
  readonly messages: readonly JsonObject[];
  readonly tools?: Json | undefined;
  /** Whether to add the beginning of the assistant's answer. */
  readonly addGenerationPrompt: boolean;
  /** Further variables of the template, such as `enable_thinking`. */
  readonly variables?: JsonObject | undefined;
  /** Whether to note which values the template reads. */
  readonly trackReads?: boolean | undefined;
}

/** A conversation as a template writes it. */
export interface ChatText {
  readonly text: string;
  /** What `{% generation %}` blocks wrote, as UTF-16 offsets in `text`, in order. */
  readonly generated: readonly { readonly start: number; readonly end: number }[];
  /** JSON pointers of the values that the template read, such as `/messages/0/content`, if that was asked for. */
  readonly read: ReadonlySet<string> | undefined;
}

/** A model's chat template, as transformers' `apply_chat_template` renders it. */
export interface ChatTemplate {
  readonly source: string;
  /** Whether it marks what the assistant writes with `{% generation %}`. */
  readonly marksGeneration: boolean;
  /** Throws a UserError if the template fails, refuses the conversation or takes too long. */
  readonly render: (rendering: ChatRendering) => string;
  /** Throws like `render`. */
  readonly write: (input: ChatInput) => ChatText;
}

/** In milliseconds, for one rendering. */
const timeLimit = 5000;
/** A longer text could not be read back as a line. */
const mostCharacters = 16 * 1024 * 1024;
const generationTag = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;
const [beginName, endName] = ['tuneloom_generation_begins', 'tuneloom_generation_ends'];

interface ChatTemplateSource {
  readonly source: string;
  /** `bos_token`, `eos_token` and the like by their names in a template. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly milliseconds?: number;
}

/** Parses a chat template. Throws a UserError if it does not parse. */
export function chatTemplate({ source, namedTokens, milliseconds }: ChatTemplateSource): ChatTemplate {
  const program = parseChat(source);
  const limit = milliseconds ?? timeLimit;
  let outOfTime = false;
  const render = ({ messages, tools, addGenerationPrompt, marks = ['', ''] }: ChatRendering): string => {
    const environment = new Environment();
    const variables = { ...globals, ...namedTokens, messages, add_generation_prompt: addGenerationPrompt };
    for (const [name, value] of Object.entries(variables)) environment.set(name, value);
    if (tools !== undefined) environment.set('tools', tools);
    environment.set(beginName, marks[0]);
    environment.set(endName, marks[1]);
    const done = outOfTime
      ? undefined
      : withinTime(limit, () => String(new Interpreter(environment).run(program).value));
    // If one conversation takes too long, so do thousands of others.
    outOfTime = done === undefined;
    if (done === undefined) throw failed(`it takes more than ${limit / 1000} s`);
    if (done.value.length > mostCharacters) throw failed(`it writes ${done.value.length} characters`);
    return done.value;
  };
  const explainedRender = explained(render);
  return {
    source,
    marksGeneration: /\{%-?\s*generation\s*-?%\}/.test(source),
    render: explainedRender,
    write: ({ messages, tools, addGenerationPrompt }) => {
      const marks = ['\ue000', '\ue001'] as const;
      const marked = explainedRender({
        messages: messages as readonly ChatMessage[],
        tools,
        addGenerationPrompt,
        marks,
      });
      const generated: { start: number; end: number }[] = [];
      let text = '';
      for (const [index, stretch] of marked.split(marks[0]).entries()) {
        const [inside = '', ...after] = stretch.split(marks[1]);
        if (index > 0) generated.push({ start: text.length, end: text.length + inside.length });
        text += inside + after.join('');
      }
      return { text, generated, read: undefined };
    },
  };
}

/** Without a clock (`strftime_now`), which would make every run differ; templates check whether there is one. */
const globals = {
  ...{ true: true, True: true, false: false, False: false, none: null, None: null },
  range: boundedRange,
  raise_exception: (message: unknown): never => {
    throw new UserError({
      code: 'template-refuses',
      message: `the chat template refuses it: ${String(message)}`,
    });
  },
};

/**
 * Follows the white space rules of transformers: a block removes its line's indent and the line feed after it. This is
 * done here, because the library removes `{% generation %}` and with it the position of its content.
 */
function parseChat(source: string): ReturnType<typeof parse> {
  const own = source
    .replace(/\n$/, '')
    .replace(/^[ \t]*(\{[#%-])/gm, '$1')
    .replace(/([#%-]\})\n/g, '$1')
    .replace(
      generationTag,
      (_, before: string, end: string | undefined, after: string) =>
        `{{${before} ${end === undefined ? beginName : endName} ${after}}}`,
    );
  try {
    return parse(tokenize(`${own}\n`));
  } catch (cause) {
    throw new UserError({
      code: 'bad-template',
      message: `the chat template does not parse: ${reasonOf(cause)}`,
      help: 'take the template from the model’s page, or write one under `template: { chat: ... }`',
      cause,
    });
  }
}

function explained(render: ChatTemplate['render']): ChatTemplate['render'] {
  return (rendering) => {
    try {
      return render(rendering);
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      throw failed(reasonOf(cause));
    }
  };
}

const reasonOf = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).replace(/^Parser Error: /, '');

const failed = (reason: string): UserError =>
  new UserError({ code: 'template-failed', message: `the chat template fails: ${reason}` });

interface ChatTemplateFiles {
  /** A tokenizer's folder; without it the template knows no token by name. */
  readonly folder?: string | undefined;
  /** A template instead of the folder's: its name or its source. */
  readonly given?: string | undefined;
}

/** The given chat template, or that of a tokenizer's folder (chat_template.jinja, else in tokenizer_config.json). */
export async function openChatTemplate({ folder, given }: ChatTemplateFiles): Promise<ChatTemplate> {
  const config = folder === undefined ? {} : await readConfig(join(folder, 'tokenizer_config.json'));
  const source = given === undefined ? await ownSource(folder ?? '', config) : chatTemplateSource(given);
  return chatTemplate({ source, namedTokens: namedTokensOf(config) });
}

/** The source of a named template; any other text is a source itself. */
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

/** The one of several named templates that is used by default. */
function defaultOf(templates: readonly Json[]): Json | undefined {
  const named = templates.find((one) => isObject(one) && one.name === 'default');
  return isObject(named) ? named.template : undefined;
}

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
} as const;

type ChatTemplateName = keyof typeof namedChatTemplates;

const isChatTemplateName = (name: string): name is ChatTemplateName =>
  Object.hasOwn(namedChatTemplates, name);
