import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import { type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { boundedRange } from '../template/strict-template.ts';
import type { ChatMessage } from './chat-message.ts';

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
