import { isList, isObject, type Json, type JsonObject } from '../core/index.ts';

/** How a family of chat templates has its models write tool calls. */
export type ToolCallForm = 'hermes' | 'llama3' | 'mistral';

export interface ToolCall {
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** The text of an answer beside its calls. */
export interface CallsInAnswer {
  readonly content: string;
  readonly calls: readonly ToolCall[];
}

const python = '<|python_tag|>';
const mistral = '[TOOL_CALLS]';
const hermes = '<tool_call>';

/**
 * The form that a chat template describes to its model: Hermes and Qwen write `<tool_call>` around JSON, Llama 3 writes
 * JSON alone, Mistral writes `[TOOL_CALLS]` before it. Undefined for any other.
 */
export function toolCallForm(template: string): ToolCallForm | undefined {
  // Qwen3-Coder writes calls as XML within the same tags.
  if (template.includes(hermes)) return /<function=/.test(template) ? undefined : 'hermes';
  if (template.includes(mistral)) return 'mistral';
  return template.includes('"parameters": dictionary of argument name') || template.includes(python)
    ? 'llama3'
    : undefined;
}

/** The calls in an answer; an answer in which a call is not as it should be, or names no given tool, is text. */
export function callsIn(text: string, form: ToolCallForm, tools: ReadonlySet<string>): CallsInAnswer {
  const found = readers[form](text);
  const calls = found?.calls.flatMap((call) => callOf(call, tools) ?? []) ?? [];
  if (found === undefined || calls.length === 0 || calls.length < found.calls.length)
    return { content: text, calls: [] };
  return { content: found.content.trim(), calls };
}

/** How much of an unfinished answer is text for certain, and no beginning of a call. */
export function certainText(text: string, form: ToolCallForm): number {
  const marker = form === 'hermes' ? hermes : form === 'mistral' ? mistral : python;
  const start = form === 'llama3' && /^\s*(\{|$)/.test(text) ? 0 : text.indexOf(marker);
  if (start >= 0) return text.slice(0, start).trimEnd().length;
  let held = Math.min(marker.length - 1, text.length);
  while (held > 0 && !marker.startsWith(text.slice(-held))) held -= 1;
  // White space before a call belongs to neither.
  return text.slice(0, text.length - held).trimEnd().length;
}

interface FoundCalls {
  readonly content: string;
  readonly calls: readonly Json[];
}

const readers: Readonly<Record<ToolCallForm, (text: string) => FoundCalls | undefined>> = {
  hermes: (text) => {
    const calls: Json[] = [];
    const content = text.replace(/<tool_call>([\s\S]*?)(?:<\/tool_call>|$)/g, (_, call: string) => {
      calls.push(parsed(call));
      return '';
    });
    return { content, calls };
  },
  llama3: (text) => {
    const trimmed = text.trim();
    const call = trimmed.startsWith(python) ? trimmed.slice(python.length) : trimmed;
    if (!call.trimStart().startsWith('{')) return undefined;
    // Several calls are separated by semicolons, which may also be in their texts.
    const whole = parsed(call);
    return { content: '', calls: whole === null ? separated(call) : [whole] };
  },
  mistral: (text) => {
    const start = text.indexOf(mistral);
    if (start < 0) return undefined;
    const content = text.slice(0, start);
    const list = parsed(text.slice(start + mistral.length));
    if (isList(list)) return { content, calls: list };
    // Later tokenizers: [TOOL_CALLS]name[ARGS]{...}, once for each call.
    const calls = text
      .slice(start + mistral.length)
      .split(mistral)
      .map((call): Json => {
        const [, name, given] = /^\s*([\w.-]+)\s*(?:\[ARGS\])?\s*(\{[\s\S]*)$/.exec(call) ?? [];
        return name === undefined || given === undefined ? null : { name, arguments: parsed(given) };
      });
    return { content, calls };
  },
};

function separated(text: string): readonly Json[] {
  const calls: Json[] = [];
  let rest = text;
  while (rest.trim() !== '') {
    const ends = [...rest.matchAll(/;|$/g)].map(({ index }) => index);
    const end = ends.find((index) => parsed(rest.slice(0, index)) !== null);
    if (end === undefined || calls.length >= mostCalls) return [null];
    calls.push(parsed(rest.slice(0, end)));
    rest = rest.slice(end + 1);
  }
  return calls;
}

const mostCalls = 64;

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json; // what JSON holds
  } catch {
    return null;
  }
}

function callOf(value: Json, tools: ReadonlySet<string>): ToolCall | undefined {
  if (!isObject(value)) return undefined;
  const call = isObject(value.function) ? value.function : value;
  const given = argumentsOf(call);
  return typeof call.name === 'string' && tools.has(call.name) && given !== undefined
    ? { name: call.name, arguments: JSON.stringify(given) }
    : undefined;
}

function argumentsOf({ arguments: own, parameters }: JsonObject): JsonObject | undefined {
  const given = own ?? parameters ?? {};
  const value = typeof given === 'string' ? parsed(given) : given;
  return isObject(value) ? value : undefined;
}
