import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja';
import type { Json } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { boundedRange } from '../template/bounded-range.ts';
import { withinTime } from '../within-time.ts';
import type { ChatMessage } from './chat-message.ts';

/** What a chat template is rendered with. */
export interface ChatRendering {
  readonly messages: readonly ChatMessage[];
  readonly tools?: Json | undefined;
  /** Whether to go on to where the assistant's answer begins. */
  readonly addGenerationPrompt: boolean;
  /** Written at the begin and the end of what stands between `{% generation %}` and `{% endgeneration %}`. */
  readonly marks?: readonly [begin: string, end: string] | undefined;
}

/** A model's chat template, as transformers' `apply_chat_template` renders it. */
export interface ChatTemplate {
  readonly source: string;
  /** Whether it says itself, with `{% generation %}`, what an assistant has written. */
  readonly marksGeneration: boolean;
  /** Throws a UserError where the template fails, refuses the conversation or does not come to an end. */
  readonly render: (rendering: ChatRendering) => string;
}

/** In milliseconds, for one rendering. */
const patience = 5000;
/** What is longer could not be read back as a line. */
const mostCharacters = 16 * 1024 * 1024;
const generationTag = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;
const [beginName, endName] = ['tuneloom_generation_begins', 'tuneloom_generation_ends'];

interface ChatTemplateSource {
  readonly source: string;
  /** `bos_token`, `eos_token` and the like by their names in a template. */
  readonly namedTokens: Readonly<Record<string, string>>;
  readonly milliseconds?: number;
}

/** Parses a chat template; throws a UserError where it does not parse. */
export function chatTemplate({ source, namedTokens, milliseconds }: ChatTemplateSource): ChatTemplate {
  const program = parseChat(source);
  const limit = milliseconds ?? patience;
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
    // Where one conversation takes too long the others would too, and thousands of them are not to be waited for.
    outOfTime = done === undefined;
    if (done === undefined) throw failed(`it is not done within ${limit / 1000} s`);
    if (done.value.length > mostCharacters) throw failed(`it writes ${done.value.length} characters`);
    return done.value;
  };
  return { source, marksGeneration: /\{%-?\s*generation\s*-?%\}/.test(source), render: explained(render) };
}

/** No clock (`strftime_now`), with which no two runs would write the same: templates ask whether there is one. */
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
 * With the white space rules that transformers sets: blocks take their line's indent and the line feed after them along.
 * Done here, because the library takes `{% generation %}` out and with it where its content begins.
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
      help: 'take the template of the model’s own page, or write one under `template: { chat: ... }`',
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
