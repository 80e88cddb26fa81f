import type { JsonObject } from '../../core/index.ts';
import { type GgufValue, plainValue } from '../../formats/index.ts';
import { type ChatMessage, openChatTemplate } from '../../text/index.ts';

interface ModelfileOf {
  /** Has the chat template. */
  readonly folder: string;
  /** The model: a GGUF file, or a name that Ollama knows. */
  readonly from: string;
  /** The GGUF file of an adapter that is added to it. */
  readonly adapter?: string;
  /** A generation_config.json. */
  readonly generation: JsonObject;
  /** Of the GGUF file. */
  readonly metadata: ReadonlyMap<string, GgufValue>;
}

/** A Modelfile, from which `ollama create` makes a model. Returns notes for the user too. */
export async function modelfile({ folder, from, adapter, generation, metadata }: ModelfileOf): Promise<{
  readonly text: string;
  readonly notes: readonly string[];
}> {
  const value = (key: string) => {
    const found = metadata.get(`tokenizer.${key}`);
    return found === undefined ? undefined : plainValue(found);
  };
  const tokens = value('ggml.tokens');
  const tokenOf = (name: string) => {
    const id = value(`ggml.${name}_token_id`);
    return Array.isArray(tokens) && typeof id === 'number' ? String(tokens[id]) : undefined;
  };
  const bos = value('ggml.add_bos_token') === true ? (tokenOf('bos') ?? '') : '';
  const hasTemplate = value('chat_template') !== undefined;
  const template = hasTemplate ? await goTemplate(folder, bos) : undefined;
  const stops = ['eos', 'eot', 'eom'].flatMap((name) => tokenOf(name) ?? []);
  const lines = [
    `FROM ${from}`,
    ...(adapter === undefined ? [] : [`ADAPTER ${adapter}`]),
    ...(template === undefined ? [] : [`TEMPLATE """${template}"""`]),
    ...parameters(generation).map(([name, number]) => `PARAMETER ${name} ${number}`),
    ...stops.map((stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
  ];
  const notes =
    hasTemplate && template === undefined
      ? ['the chat template cannot be written in Ollama’s language: add a TEMPLATE to the Modelfile']
      : [];
  return { text: `${lines.join('\n')}\n`, notes };
}

/** Fields of generation_config.json -> Ollama's parameters. */
const parameterNames = {
  temperature: 'temperature',
  top_k: 'top_k',
  top_p: 'top_p',
  min_p: 'min_p',
  repetition_penalty: 'repeat_penalty',
};

function parameters(generation: JsonObject): readonly (readonly [string, number])[] {
  if (generation.do_sample === false) return [['temperature', 0]];
  return Object.entries(parameterNames).flatMap(([field, name]) => {
    const value = generation[field];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
}

type Render = (messages: readonly ChatMessage[], addGenerationPrompt?: boolean) => string;

/** What stands before and after the text of a role's message. */
interface Around {
  readonly before: string;
  readonly after: string;
}

interface Pieces {
  /** Before a conversation without a system message. */
  readonly start: string;
  readonly system: Around;
  readonly user: Around;
  readonly assistant: Around;
  /** After the last message. */
  readonly prompt: string;
}

/**
 * A chat template in Go's language, found by rendering conversations and taking them apart. Undefined if the template does
 * not simply put texts around messages. Ollama itself adds the token for the beginning, if the GGUF file asks for it.
 */
async function goTemplate(folder: string, bos: string): Promise<string | undefined> {
  try {
    const template = (await openChatTemplate({ folder }))(false);
    const render: Render = (messages, addGenerationPrompt = true) => {
      const { text } = template.write({ messages, addGenerationPrompt });
      return bos !== '' && text.startsWith(bos) ? text.slice(bos.length) : text;
    };
    const pieces = piecesOf(render);
    const isExact = conversations.every((messages) => render(messages) === assemble(pieces, messages));
    const text = inGo(pieces);
    return isExact && !text.includes('"""') ? text : undefined;
  } catch {
    return undefined; // the template refuses one of the conversations
  }
}

const [system, user, assistant, second] = [
  { role: 'system', content: 'Xsystem1X' },
  { role: 'user', content: 'Xuser1X' },
  { role: 'assistant', content: 'Xanswer1X' },
  { role: 'user', content: 'Xuser2X' },
] as const;

const conversations: readonly (readonly ChatMessage[])[] = [
  [user],
  [system, user],
  [user, assistant, second],
  [system, user, assistant, second],
  [system, user, assistant, second, { role: 'assistant', content: 'Xanswer2X' }, user],
];

function piecesOf(render: Render): Pieces {
  const alone = render([user], false);
  const prompt = without(render([user]), alone, 'start');
  const afterUser = alone.slice(alone.indexOf(user.content) + user.content.length);
  const answered = render([user, assistant], false);
  const afterAssistant = answered.slice(answered.indexOf(assistant.content) + assistant.content.length);
  const longer = render([user, assistant, second], false);
  const beforeAssistant = without(between(longer, user.content, assistant.content), afterUser, 'start');
  const beforeUser = without(between(longer, assistant.content, second.content), afterAssistant, 'start');
  const told = render([system, user], false);
  return {
    start: without(alone.slice(0, alone.indexOf(user.content)), beforeUser, 'end'),
    system: {
      before: told.slice(0, told.indexOf(system.content)),
      after: without(between(told, system.content, user.content), beforeUser, 'end'),
    },
    user: { before: beforeUser, after: afterUser },
    assistant: { before: beforeAssistant, after: afterAssistant },
    prompt,
  };
}

const between = (text: string, first: string, next: string): string =>
  text.slice(text.indexOf(first) + first.length, text.indexOf(next));

/** The rest of a text that starts or ends with another. Throws if it does not. */
function without(text: string, part: string, at: 'start' | 'end'): string {
  if (at === 'start' && text.startsWith(part)) return text.slice(part.length);
  if (at === 'end' && text.endsWith(part)) return text.slice(0, text.length - part.length);
  throw new Error('The template does not simply put texts around messages');
}

const aroundOf = (pieces: Pieces, role: string): Around =>
  role === 'system' ? pieces.system : role === 'user' ? pieces.user : pieces.assistant;

function assemble(pieces: Pieces, messages: readonly ChatMessage[]): string {
  const start = messages[0]?.role === 'system' ? '' : pieces.start;
  const texts = messages.map(({ role, content }) => {
    const { before, after } = aroundOf(pieces, role);
    return `${before}${content}${after}`;
  });
  return `${start}${texts.join('')}${pieces.prompt}`;
}

function inGo({ start, prompt, ...roles }: Pieces): string {
  const branches = (['system', 'user', 'assistant'] as const).map((role, index) => {
    const { before, after } = roles[role];
    const keyword = index === 0 ? 'if' : 'else if';
    return `{{ ${keyword} eq .Role "${role}" }}${literal(before)}{{ .Content }}${literal(after)}`;
  });
  const opening = start === '' ? '' : `{{ if not .System }}${literal(start)}{{ end }}`;
  return `${opening}{{ range .Messages }}${branches.join('')}{{ end }}{{ end }}${literal(prompt)}`;
}

const literal = (text: string): string => text.replaceAll('{{', '{{ "{{" }}');
