import {
  isList,
  isObject,
  type Json,
  type JsonObject,
  jsonText,
  numberIn,
  own,
  suggest,
  UserError,
} from '../../core/index.ts';
import { fieldsIn } from '../template/row-field.ts';
import { type ChatMessage, reasoningFields } from './chat-message.ts';
import { jsonIn } from './json-in-text.ts';

/** Which fields of a turn hold what. */
export interface TurnFields {
  /** The speaker; by default `role` or `from`. */
  readonly role?: string | undefined;
  /** The text; by default `content` or `value`. */
  readonly content?: string | undefined;
  /** Whether it is learned; `weight` and `train` are always read. */
  readonly train?: string | undefined;
  /** A name of a role in the data -> the template's name. */
  readonly roles: Readonly<Record<string, string>>;
}

/** A turn of a row. */
export interface Turn {
  readonly message: ChatMessage;
  /** Whether the data says that it is learned; undefined if it says nothing. */
  readonly learned: boolean | undefined;
  /** The fields of its content's parts that no template is given. */
  readonly dropped: readonly string[];
}

interface TurnPlace {
  readonly fields: TurnFields;
  readonly writesCalls: boolean;
  /** Such as `messages[0]`. */
  readonly place: string;
}

/** Names of roles in data -> the templates' names. */
const roleNames: Readonly<Record<string, string>> = {
  human: 'user',
  prompter: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  function_call: 'assistant',
  tool_call: 'assistant',
  observation: 'tool',
  tool_response: 'tool',
  function: 'tool',
};

const roles = ['system', 'developer', 'user', 'assistant', 'tool'];

/** Reads one turn. Throws a UserError that names it if it has no known role or no text. */
export function turnOf(value: Json, at: TurnPlace): Turn {
  const { fields, writesCalls, place } = at;
  if (!isObject(value))
    throw badTurn(`${place} is not an object`, 'a turn is {"role": "user", "content": "..."}');
  // A table of rows gives every turn the fields of all; transformers drops those that are null too.
  const turn = Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
  const nameIn = (...names: readonly [string, string]): string =>
    [turn, value].flatMap((fields) => names.find((name) => Object.hasOwn(fields, name)) ?? [])[0] ?? names[0];
  const speaker = fields.role ?? nameIn('role', 'from');
  const words = fields.content ?? nameIn('content', 'value');
  const flags = ['weight', 'train', ...(fields.train === undefined ? [] : [fields.train])];
  const { [speaker]: who, [words]: said, ...rest } = turn;
  if (typeof who !== 'string' || who === '') throw badTurn(`${place} has no \`${speaker}\``, inTurn(value));
  const role = own(fields.roles, who) ?? own(roleNames, who) ?? who;
  if (!roles.includes(role) && own(fields.roles, who) === undefined) throw unknownRole(place, role);
  const isCall = (who === 'function_call' || who === 'tool_call') && own(fields.roles, who) === undefined;
  const called = isCall && writesCalls && said !== undefined ? callsIn(said) : undefined;
  const { text, dropped } =
    called === undefined
      ? contentOf(said, { place, words, whole: isCall })
      : { text: undefined, dropped: [] };
  const others = Object.fromEntries(Object.entries(rest).filter(([name]) => !flags.includes(name)));
  const calls = called === undefined ? withCalls(others, role) : { ...others, tool_calls: called };
  const content = text ?? (value[words] === null || called !== undefined ? null : undefined);
  if (text === undefined && calls.tool_calls === undefined && !maySayNothing(calls))
    throw badTurn(`${place} has no \`${words}\``, inTurn(value));
  return {
    message: { role, ...(content !== undefined && { content }), ...calls },
    learned: learnedOf(turn, { flags, place }),
    dropped,
  };
}

/** A turn with nothing but its reasoning. */
const maySayNothing = (turn: JsonObject): boolean =>
  reasoningFields.some((name) => typeof turn[name] === 'string' && turn[name].trim() !== '');

/** Whether the turn is learned: `weight` 0 or 1, `train` false or true. */
function learnedOf(
  turn: JsonObject,
  { flags, place }: { readonly flags: readonly string[]; readonly place: string },
): boolean | undefined {
  for (const name of flags) {
    const given = turn[name];
    if (given === undefined) continue;
    const flag = numberIn(given) ?? given;
    if (flag === 0 || flag === false) return false;
    // A weight of 1 is the default; `train: true` asks for the turn, whatever its role.
    if (flag === 1 || flag === true) {
      if (name === 'weight') continue;
      return true;
    }
    throw badTurn(
      `\`${name}\` of ${place} is ${jsonText(flag)}`,
      'a turn is learned (1 or true) or only read (0 or false); other weights are not supported',
    );
  }
  return undefined;
}

/** The fields of a turn, with its tool calls as a list; without a list that is empty. */
function withCalls(fields: JsonObject, role: string): JsonObject {
  const { tool_calls, function_call, ...others } = fields;
  const given = jsonIn(tool_calls ?? null);
  const calls = isList(given) ? given : given === null || given === '' ? [] : [given];
  if (calls.length > 0) return { ...fields, tool_calls: calls };
  // OpenAI's older protocol.
  const older = role === 'assistant' && function_call !== undefined ? callsIn(function_call) : undefined;
  if (older !== undefined) return { ...others, tool_calls: older };
  return function_call === undefined ? others : { ...others, function_call };
}

/** The calls that a value describes by name and arguments; undefined if it describes none. */
function callsIn(value: Json): readonly Json[] | undefined {
  const parsed = jsonIn(value);
  const calls = isList(parsed) ? parsed : [parsed];
  if (calls.length === 0 || !calls.every((call) => isObject(call) && typeof call.name === 'string'))
    return undefined;
  return calls.map((call) => ({ type: 'function', function: call }));
}

interface ContentPlace {
  readonly place: string;
  readonly words: string;
  /** Whether an object is written as its JSON. */
  readonly whole: boolean;
}

/** The text of a content, which may be a list of parts that are text. */
function contentOf(
  said: Json | undefined,
  { place, words, whole }: ContentPlace,
): { readonly text: string | undefined; readonly dropped: readonly string[] } {
  if (said === undefined) return { text: undefined, dropped: [] };
  if (typeof said === 'string') return { text: said, dropped: [] };
  if (whole) return { text: jsonText(said), dropped: [] };
  if (!isList(said))
    throw badTurn(
      `\`${words}\` of ${place} is not text`,
      'the content of a turn is a text, or a list of {"type": "text", "text": "..."}',
    );
  const parts = said.map((part) => {
    if (typeof part === 'string') return { text: part, dropped: [] };
    const { type = 'text', text, ...others } = isObject(part) ? part : { type: 'unknown' };
    if (type === 'text' && typeof text === 'string')
      return { text, dropped: Object.keys(others).filter((name) => isObject(part) && part[name] !== null) };
    throw badTurn(
      `\`${words}\` of ${place} has a part of the type ${jsonText(type)}${type === 'text' ? ' without a `text`' : ''}`,
      'the parts of a content are {"type": "text", "text": "..."}; pictures and other parts are not supported',
    );
  });
  return {
    text: parts.map(({ text }) => text).join(''),
    dropped: parts.flatMap((part) => part.dropped),
  };
}

const inTurn = (turn: JsonObject): string =>
  `name the fields with \`conversation: { role: ..., content: ... }\`; the turn has ${fieldsIn(turn)}`;

const badTurn = (message: string, help: string): UserError =>
  new UserError({ code: 'bad-conversation', message, help });

function unknownRole(place: string, role: string): UserError {
  const name = suggest(role, [...roles, ...Object.keys(roleNames)]);
  const likely = name === undefined ? 'user' : (own(roleNames, name) ?? name);
  return new UserError({
    code: 'unknown-role',
    message: `${place} has the role \`${role}\`, which is not one of ${roles.join(', ')}`,
    help: `say which role it has with \`conversation: { roles: { ${role}: ${likely} } }\`, or map it to itself if the template writes it`,
  });
}
