import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import {
  compileJinja,
  failureIn,
  type JinjaTemplate,
  PythonError,
  RaisedByTemplate,
  type TextSpan,
} from '../jinja/compile.ts';
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
  readonly generated: readonly TextSpan[];
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

interface ChatTemplateSource {
  readonly source: string;
  /** `bos_token`, `eos_token` and the like by their names in a template. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly milliseconds?: number;
}

/** Parses a chat template. Throws a UserError if it does not parse. */
export function chatTemplate({ source, namedTokens, milliseconds }: ChatTemplateSource): ChatTemplate {
  const template = parseChat(source);
  const limit = milliseconds ?? timeLimit;
  let outOfTime = false;
  const write = ({ messages, tools, addGenerationPrompt, variables, trackReads }: ChatInput): ChatText => {
    const input = {
      ...namedTokens,
      documents: null,
      ...variables,
      messages,
      // As transformers passes them: `tools is defined` holds, and `tools is none` too if there are none.
      tools: tools ?? null,
      add_generation_prompt: addGenerationPrompt,
    };
    const done = outOfTime
      ? undefined
      : withinTime(limit, () => rendered(source, () => template.render(input, { trackReads })));
    // If one conversation takes too long, so do thousands of others.
    outOfTime = done === undefined;
    if (done === undefined) throw failed(`it takes more than ${limit / 1000} s`);
    return done.value;
  };
  return {
    source,
    marksGeneration: template.marksGeneration,
    write,
    render: ({ marks: [begin, end] = ['', ''], ...input }) => {
      const { text, generated } = write(input);
      let marked = '';
      let done = 0;
      for (const span of generated) {
        marked += text.slice(done, span.start) + begin + text.slice(span.start, span.end) + end;
        done = span.end;
      }
      return marked + text.slice(done);
    },
  };
}

/** As transformers sets Jinja up. */
const whiteSpace = { trimBlocks: true, lstripBlocks: true, keepTrailingNewline: false };

function parseChat(source: string): JinjaTemplate {
  try {
    return compileJinja(source, whiteSpace);
  } catch (cause) {
    throw new UserError({
      code: 'bad-template',
      message: `the chat template does not parse: ${failureIn(cause, source)}`,
      help: 'take the template from the model’s page, or write one under `template: { chat: ... }`',
      cause,
    });
  }
}

function rendered<Result>(source: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RaisedByTemplate)
      throw new UserError({
        code: 'template-refuses',
        message: `the chat template refuses it: ${cause.message}`,
      });
    if (cause instanceof PythonError) throw failed(failureIn(cause, source));
    throw cause;
  }
}

const failed = (reason: string): UserError =>
  new UserError({
    code: 'template-failed',
    message: `the chat template fails: ${reason}`,
    ...(reason.includes("'strftime_now' is undefined") && {
      help: 'it writes the date of the day, so that no two runs would write the same: copy it to `template: { chat: ... }` with a fixed date',
    }),
  });

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
