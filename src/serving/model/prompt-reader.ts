import { type JsonObject, parseExactly, UserError } from '../../core/index.ts';
import type { LocalModel } from '../../stages/index.ts';
import {
  chatWriter,
  conversationOf,
  emptyContext,
  encodeFrom,
  endMark,
  isTemplateName,
  namedTemplates,
  openChatTemplate,
  startToken,
  stopsAt,
  type TemplateChoice,
  type TemplateName,
  type TextPiece,
  type Unshown,
} from '../../text/index.ts';
import { toolCallForm } from '../tool-calls.ts';
import type { ChatInput, PromptSource, ServedModel } from './protocol.ts';

/** A prompt as the model reads it. */
export interface ReadPrompt {
  readonly tokens: Int32Array;
  readonly text: string;
  /** How many tokens at the beginning the text does not show. */
  readonly hidden: number;
  /** What ends an answer to it, besides the model's own ends. */
  readonly stopTokens: readonly number[];
  readonly stop: readonly string[];
}

/** Reads prompts as `format` and `generate` do. Throws a UserError for what the model cannot be given. */
export interface PromptReader extends Pick<ServedModel, 'toolCalls' | 'noChat'> {
  readonly read: (source: PromptSource) => ReadPrompt;
}

type WriteChat = (input: ChatInput) => {
  readonly pieces: readonly TextPiece[];
  readonly isChat: boolean;
  readonly end: string | undefined;
};

export async function openPromptReader(
  folder: string,
  { tokenizer, model }: LocalModel,
  template: string | undefined,
): Promise<PromptReader> {
  const chat = await openChat(folder, [...tokenizer.specialTokens.keys()], template);
  const special = specialTokenSplitter([...tokenizer.specialTokens.keys()]);
  const mostCharacters = model.config.contextLength * longestToken(tokenizer);
  const encoded = (pieces: readonly TextPiece[], isChat: boolean) => {
    const length = pieces.reduce((sum, piece) => sum + piece.text.length, 0);
    // Encoding it would keep the others waiting.
    if (length > mostCharacters)
      throw new UserError({
        code: 'context-length-exceeded',
        message: `the prompt has ${length} characters, more than a context of ${model.config.contextLength} tokens can hold`,
      });
    const start = startToken(tokenizer, { bos: 'auto', isChat });
    const tokens = encodeFrom(start, { tokenizer, text: pieces });
    const text = pieces.map((piece) => piece.text).join('');
    if (tokens.length === 0)
      return { tokens: Int32Array.of(emptyContext(tokenizer, 'auto')), text, hidden: 1 };
    const isAdded = start !== undefined && !startsWith(pieces, start, tokenizer.specialTokens);
    return { tokens, text, hidden: isAdded ? 1 : 0 };
  };
  const readTokens = (tokens: readonly number[]): ReadPrompt => {
    const unknown = tokens.find((token) => token >= model.config.vocabularySize);
    if (unknown !== undefined)
      throw new UserError({
        code: 'unknown-token',
        message: `the model has no token ${unknown}: its ids end at ${model.config.vocabularySize - 1}`,
      });
    const isEmpty = tokens.length === 0;
    return {
      tokens: isEmpty ? Int32Array.of(emptyContext(tokenizer, 'auto')) : Int32Array.from(tokens),
      text: tokenizer.decode(tokens),
      hidden: isEmpty ? 1 : 0,
      ...{ stopTokens: [], stop: [] },
    };
  };
  return {
    toolCalls: chat.toolCalls,
    noChat: chat.noChat,
    read: (source) => {
      switch (source.kind) {
        case 'text':
          return { ...encoded([...special(source.text)], false), stopTokens: [], stop: [] };
        case 'tokens':
          return readTokens(source.tokens);
        case 'chat': {
          const { pieces, isChat, end } = chat.write(parseExactly(source.input) as ChatInput); // as the server wrote it
          return { ...encoded(pieces, isChat), ...stopsAt(end, tokenizer) };
        }
        default:
          return source satisfies never;
      }
    },
  };
}

/** In bytes, of which a character has at least one. */
function longestToken({ vocabularySize, bytesOf }: LocalModel['tokenizer']): number {
  let longest = 1;
  for (let token = 0; token < vocabularySize; token++) longest = Math.max(longest, bytesOf(token).length);
  return longest;
}

const startsWith = (
  [first]: readonly TextPiece[],
  start: number,
  specialTokens: ReadonlyMap<string, number>,
): boolean => first?.special === true && specialTokens.get(first.text) === start;

/** Whoever writes a whole prompt writes its special tokens too, as in transformers. */
function specialTokenSplitter(names: readonly string[]): (text: string) => Iterable<TextPiece> {
  if (names.length === 0) return (text) => [{ text }];
  const longestFirst = names.toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(
    longestFirst.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|'),
    'g',
  );
  return function* split(text) {
    let done = 0;
    for (const { 0: name, index } of text.matchAll(pattern)) {
      if (index > done) yield { text: text.slice(done, index) };
      yield { text: name, special: true };
      done = index + name.length;
    }
    if (done < text.length) yield { text: text.slice(done) };
  };
}

interface OpenChat extends Pick<ServedModel, 'toolCalls' | 'noChat'> {
  readonly write: WriteChat;
}

/** The model's own chat template, or the given one. A model without one has no conversations, only texts. */
async function openChat(
  folder: string,
  specialTokens: readonly string[],
  given: string | undefined,
): Promise<OpenChat> {
  if (given !== undefined && isTemplateName(given))
    return { write: instructionWriter(given), toolCalls: undefined, noChat: undefined };
  try {
    const own = given === undefined || given === 'chat' ? {} : { given };
    const templateFor = await openChatTemplate({ folder, ...own });
    const toolCalls = toolCallForm(templateFor(true).source);
    return { write: templateWriter(templateFor, specialTokens), toolCalls, noChat: undefined };
  } catch (error) {
    if (!(error instanceof UserError) || given !== undefined || error.code !== 'no-chat-template')
      throw error;
    const write = () => {
      throw error;
    };
    return { write, toolCalls: undefined, noChat: error.message };
  }
}

function templateWriter(templateFor: TemplateChoice, specialTokens: readonly string[]): WriteChat {
  const write = chatWriter({
    templateFor,
    specialTokens,
    ...{ trainedRoles: [], trainedTurns: 'all', trainReasoning: true },
  });
  const ends = new Map<boolean, string | undefined>();
  const endFor = (hasTools: boolean): string | undefined => {
    if (!ends.has(hasTools)) ends.set(hasTools, endMark({ template: templateFor(hasTools), specialTokens }));
    return ends.get(hasTools);
  };
  return ({ messages, tools, variables }) => {
    const conversation = conversationOf(
      {
        messages,
        ...(tools.length > 0 && { tools }),
        ...(Object.keys(variables).length > 0 && { chat_template_kwargs: variables }),
      },
      { fields: { roles: {} }, writesCalls: () => true },
    );
    const hasTools = conversation.tools !== undefined;
    checkVariables(variables, templateFor(hasTools).source);
    const { segments, unshown } = write(conversation);
    checkShown([
      ...unshown,
      ...conversation.dropped.map((name) => ({ name, problem: `a part has \`${name}\`` })),
    ]);
    return { pieces: segments, isChat: true, end: endFor(hasTools) };
  };
}

/** What a template leaves out of a conversation by design: an id beside its call, and what was thought before an answer. */
const leftOut = ['tool_call_id', 'reasoning'];

function checkShown(unshown: readonly Unshown[]): void {
  const lost = unshown.filter(({ name }) => !leftOut.includes(name));
  if (lost.length === 0) return;
  throw new UserError({
    code: 'not-shown',
    message: `the model would not read all of it: ${[...new Set(lost.map(({ problem }) => problem))].join('; ')}`,
  });
}

function checkVariables(variables: JsonObject, source: string): void {
  const unused = Object.keys(variables).find(
    (name) => !new RegExp(`\\b${name.replace(/\W/g, '\\$&')}\\b`).test(source),
  );
  if (unused === undefined) return;
  throw new UserError({
    code: 'not-shown',
    message: `the chat template does not use the variable \`${unused}\` of \`chat_template_kwargs\``,
  });
}

/** An instruction template such as `alpaca` has room for one instruction. */
function instructionWriter(name: TemplateName): WriteChat {
  return ({ messages, tools, variables }) => {
    const { messages: turns } = conversationOf(
      { messages },
      { fields: { roles: {} }, writesCalls: () => true },
    );
    const [only] = turns;
    if (turns.length !== 1 || only?.role !== 'user' || typeof only.content !== 'string')
      throw new UserError({
        code: 'one-turn',
        message: `the template \`${name}\` has room for one message of a user, and here are ${turns.map(({ role }) => role).join(', ')}`,
      });
    if (tools.length > 0 || Object.keys(variables).length > 0)
      throw new UserError({
        code: 'not-shown',
        message: `the template \`${name}\` has no room for tools or variables`,
      });
    const instruction = only.content;
    return {
      pieces: namedTemplates[name]({ instruction, text: instruction, output: '' }),
      isChat: false,
      end: undefined,
    };
  };
}
