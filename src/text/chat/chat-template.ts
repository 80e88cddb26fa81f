import { type Json, type JsonObject, UserError, withinTime } from '../../core/index.ts';
import {
  compileJinja,
  failureIn,
  type JinjaTemplate,
  PythonError,
  RaisedByTemplate,
  type TextSpan,
} from '../jinja/compile.ts';

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
