import type { JsonObject } from '../../core/index.ts';
import type { FormatConfig } from '../../generated/format-config.ts';
import {
  type ChatMarks,
  type ChatMessage,
  type Conversation,
  chatWriter,
  conversationOf,
  endMark,
  type FormattedRecord,
  namedTemplates,
  namedTokensTemplate,
  openChatTemplate,
  openTokenizer,
  recognizedRow,
  type Segment,
  saysSomething,
  segmentsOf,
  type Template,
  type TemplateChoice,
  type Unshown,
} from '../../text/index.ts';
import { exampleFormat, exampleTemplateOf, type FormatInputs, type RecordFormat } from './example-format.ts';
import { preferenceFormat } from './preference-format.ts';
import { type TemplateKind, templateKind } from './template-kind.ts';

/** A function that writes records with the configuration's template: examples, or preferences. */
export async function recordFormat(config: FormatConfig, inputs: FormatInputs): Promise<RecordFormat> {
  const format = await templateFormat(config, inputs);
  const { preference, conversation } = config;
  return preference === undefined ? format : preferenceFormat(format, { preference, conversation });
}

async function templateFormat(config: FormatConfig, inputs: FormatInputs): Promise<RecordFormat> {
  const template = templateKind(config);
  const { tokenizer: folder } = inputs;
  if (template.kind === 'chat') return chatFormat(config, { folder, given: template.given });
  if (!config.apply_chat_template) return writtenFormat(config, { template, ...inputs });
  const wrap = await openChat(config, { folder, given: undefined });
  const letters = segmentsOf({ prompt: 'a', header: '', response: 'a' });
  const wrapper = config.shots?.fit_tokens && asTurns({ segments: letters }, { wrap, config }).segments;
  const written = await writtenFormat(config, { template, ...inputs, ...(wrapper && { wrapper }) });
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
    return checkedFields(
      await exampleFormat(config, { template: exampleTemplateOf(config, template), ...inputs }),
      template,
    );
  const write: Template =
    template.kind === 'named' ? namedTemplates[template.name] : namedTokensTemplate(template.sources);
  return checkedFields(({ row }) => ({ segments: write(row) }), template);
}

/** Also says which fields of the row the template leaves out of an example. A benchmark takes of its rows what it wants. */
function checkedFields(format: RecordFormat, { kind }: OtherTemplate): RecordFormat {
  if (kind === 'benchmark') return format;
  return ({ id, row }) => {
    const { watched, read } = watch(row);
    const formatted = format({ id, row: watched });
    const isExample = formatted.segments.some(({ role }) => role === 'response');
    const dolly = kind === 'named' && read.has('response') ? recognizedRow(row, 'dolly') : undefined;
    const known = new Set([...read, ...(dolly?.about ?? [])]);
    return { ...formatted, unshown: isExample ? unusedFields(row, known) : [], layout: dolly?.words };
  };
}

/** The row, and the names of the fields that are read of it from now on. */
function watch(row: JsonObject): { readonly watched: JsonObject; readonly read: ReadonlySet<string> } {
  const read = new Set<string>();
  const watched = new Proxy(row, {
    get: (target, name) => {
      if (typeof name === 'string') read.add(name);
      return Reflect.get(target, name);
    },
  });
  return { watched, read };
}

const unusedFields = (row: JsonObject, read: ReadonlySet<string>): readonly Unshown[] =>
  Object.keys(row)
    .filter((name) => !read.has(name) && saysSomething(row[name]))
    .map((name) => ({ name, isField: true, problem: `the template does not use the field \`${name}\`` }));

async function chatFormat(config: FormatConfig, files: ChatFiles): Promise<RecordFormat> {
  const { write, templateFor, marksFor } = await openChat(config, files);
  const options = {
    fields: config.conversation,
    system: config.system,
    writesCalls: (hasTools: boolean) => /\btool_calls\b/.test(templateFor(hasTools).source),
  };
  return ({ row }) => {
    const conversation = conversationOf(row, options);
    const { learned, read, dropped, recognized, ...given } = conversation;
    const { segments, prompt, unshown } = write(conversation);
    return {
      segments,
      ...(prompt && { prompt }),
      ...promptConversation(given, config),
      chat: marksFor(given.tools !== undefined),
      layout: recognized?.words,
      unshown: [
        ...unusedFields(row, read),
        ...unusedVariables(conversation, templateFor(given.tools !== undefined).source),
        ...dropped.map((name) => ({
          name,
          problem: `no template is given the field \`${name}\` of a part of a content`,
        })),
        ...unshown,
      ],
    };
  };
}

/** Variables that occur nowhere in the template. */
const unusedVariables = ({ variables = {} }: Conversation, source: string): readonly Unshown[] =>
  Object.keys(variables)
    .filter((name) => !new RegExp(`\\b${name.replace(/\W/g, '\\$&')}\\b`).test(source))
    .map((name) => ({ name, problem: `the template does not use the variable \`${name}\`` }));

/** The turns that a model is given: all but a final answer, which it writes itself. */
function promptConversation(
  { messages, ...others }: Conversation,
  { train_on_roles: roles }: FormatConfig,
): Pick<FormattedRecord, 'conversation'> {
  const isAnswered = messages.at(-1)?.role === 'assistant' && roles.includes('assistant');
  const given = isAnswered ? messages.slice(0, -1) : messages;
  if (given.length === 0) return {};
  return { conversation: { ...others, messages: given } };
}

interface ChatFiles {
  readonly folder: string | undefined;
  readonly given: string | undefined;
}

interface OpenChat {
  readonly write: ReturnType<typeof chatWriter>;
  readonly templateFor: TemplateChoice;
  /** What the template for conversations with or without tools ends answers with. */
  readonly marksFor: (hasTools: boolean) => ChatMarks;
}

async function openChat(config: FormatConfig, files: ChatFiles): Promise<OpenChat> {
  const tokenizer = files.folder === undefined ? undefined : await openTokenizer(files.folder);
  const templateFor = await openChatTemplate(files);
  const specialTokens = [...(tokenizer?.specialTokens.keys() ?? [])];
  const write = chatWriter({
    templateFor,
    specialTokens,
    trainedRoles: config.train_on_roles,
    trainedTurns: config.train_on_turns,
    trainReasoning: config.train_on_reasoning,
  });
  const marks = (hasTools: boolean): ChatMarks => {
    const end = endMark({ template: templateFor(hasTools), specialTokens });
    return end === undefined ? {} : { end };
  };
  const known = new Map<boolean, ChatMarks>();
  const marksFor = (hasTools: boolean): ChatMarks => {
    const found = known.get(hasTools) ?? marks(hasTools);
    known.set(hasTools, found);
    return found;
  };
  return { write, templateFor, marksFor };
}

/** The prompt as a user's turn and the response, if there is one, as an assistant's. */
function asTurns(
  { segments, ...others }: ReturnType<RecordFormat>,
  { wrap, config }: { readonly wrap: OpenChat; readonly config: FormatConfig },
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
  const { shared_characters: _, unshown = [], ...kept } = others;
  const wrapped = wrap.write({ messages });
  return {
    ...kept,
    ...wrapped,
    ...promptConversation({ messages }, config),
    chat: wrap.marksFor(false),
    unshown: [...unshown, ...wrapped.unshown],
  };
}

const textOf = (segments: readonly Segment[]): string => segments.map(({ text }) => text).join('');
