import type { FormatConfig } from '../../generated/format-config.ts';
import {
  type ChatMarks,
  type ChatMessage,
  type Conversation,
  chatSegments,
  conversationOf,
  endMark,
  type FormattedRecord,
  namedTemplates,
  namedTokensTemplate,
  openChatTemplate,
  openTokenizer,
  type Segment,
  type Template,
} from '../../text/index.ts';
import {
  exampleFormat,
  exampleTemplateOf,
  type FormatInputs,
  type RecordFormat,
  rowOf,
} from './example-format.ts';
import { type TemplateKind, templateKind } from './template-kind.ts';

/** A function that writes records with the configuration's template. */
export async function recordFormat(config: FormatConfig, inputs: FormatInputs): Promise<RecordFormat> {
  const template = templateKind(config);
  const { tokenizer: folder } = inputs;
  if (template.kind === 'chat') return chatFormat(config, { folder, given: template.given });
  const written = await writtenFormat(config, { template, ...inputs });
  if (!config.apply_chat_template) return written;
  const wrap = await openChat(config, { folder, given: undefined });
  return (record) => asTurns(written(record), { wrap, config });
}

type OtherTemplate = Exclude<TemplateKind, { readonly kind: 'chat' }>;

async function writtenFormat(
  config: FormatConfig,
  { template, ...inputs }: FormatInputs & { readonly template: OtherTemplate },
): Promise<RecordFormat> {
  const isExample =
    template.kind === 'benchmark' || config.shots !== undefined || config.description !== undefined;
  if (isExample || (template.kind === 'written' && template.sources.choices !== undefined))
    return exampleFormat(config, { template: exampleTemplateOf(config, template), ...inputs });
  const write: Template =
    template.kind === 'named' ? namedTemplates[template.name] : namedTokensTemplate(template.sources);
  return (record) => ({ segments: write(rowOf(record)) });
}

interface ConversationWriter {
  readonly write: (conversation: Conversation) => readonly Segment[];
  readonly chat: ChatMarks;
}

async function chatFormat(config: FormatConfig, files: ChatFiles): Promise<RecordFormat> {
  const { write, chat } = await openChat(config, files);
  const options = { fields: config.conversation, system: config.system };
  return (record) => {
    const conversation = conversationOf(rowOf(record), options);
    return { segments: write(conversation), ...promptConversation(conversation, config), chat };
  };
}

/** The turns that a model is given: all but a final answer, which it writes itself. */
function promptConversation(
  { messages, tools }: Conversation,
  { train_on_roles: roles }: FormatConfig,
): Pick<FormattedRecord, 'conversation'> {
  const isAnswered = messages.at(-1)?.role === 'assistant' && roles.includes('assistant');
  const given = isAnswered ? messages.slice(0, -1) : messages;
  if (given.length === 0) return {};
  return { conversation: { messages: given, ...(tools !== undefined && { tools }) } };
}

interface ChatFiles {
  readonly folder: string | undefined;
  readonly given: string | undefined;
}

async function openChat(config: FormatConfig, files: ChatFiles): Promise<ConversationWriter> {
  const tokenizer = files.folder === undefined ? undefined : await openTokenizer(files.folder);
  const format = {
    template: await openChatTemplate(files),
    specialTokens: [...(tokenizer?.specialTokens.keys() ?? [])],
    trainedRoles: config.train_on_roles,
    trainedTurns: config.train_on_turns,
  };
  const end = endMark(format);
  return {
    write: (conversation) => chatSegments(conversation, format),
    chat: end === undefined ? {} : { end },
  };
}

/** The prompt as a user's turn and the response, if there is one, as an assistant's. */
function asTurns(
  { segments, ...others }: ReturnType<RecordFormat>,
  { wrap, config }: { readonly wrap: ConversationWriter; readonly config: FormatConfig },
): ReturnType<RecordFormat> {
  const isAnswer = ({ role }: Segment) => role === 'response' || role === 'end';
  const [question, answer] = [segments.filter((one) => !isAnswer(one)), segments.filter(isAnswer)].map(
    textOf,
  );
  const messages: readonly ChatMessage[] = [
    ...(config.system === undefined ? [] : [{ role: 'system', content: config.system }]),
    { role: 'user', content: (question ?? '').trim() },
    ...(answer ? [{ role: 'assistant', content: answer.trim() }] : []),
  ];
  // The shared part of the prompt was counted before the prompt was wrapped.
  const { shared_characters: _, ...kept } = others;
  const { write, chat } = wrap;
  return { ...kept, segments: write({ messages }), ...promptConversation({ messages }, config), chat };
}

const textOf = (segments: readonly Segment[]): string => segments.map(({ text }) => text).join('');
