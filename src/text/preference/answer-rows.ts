import {
  canonicalJson,
  isList,
  isObject,
  type Json,
  type JsonObject,
  numberIn,
  UserError,
} from '../../core/index.ts';
import { jsonIn } from '../chat/json-in-text.ts';
import type { ConversationFields } from '../chat/row-turns.ts';
import type { Unshown } from '../chat/unshown.ts';
import { fieldsOf, missingField } from '../template/row-field.ts';

/** A row of preferences as two rows of one answer each, which any template writes. */
export interface AnswerRows {
  readonly chosen: JsonObject;
  readonly rejected: JsonObject;
  /** The fields that hold an answer for the template; it reads one of them. */
  readonly answerFields: readonly string[];
  /** What the row says and neither of the two has. */
  readonly unshown: readonly Unshown[];
}

type Side = 'chosen' | 'rejected';

/** Where templates look for an answer: as instructions, as prompt and completion, or by the name that the row gives it. */
const textFields = ['output', 'completion', 'chosen'];

/** What is read of a row beside its prompt. */
const ownFields = ['chosen', 'rejected', 'score_chosen', 'score_rejected'];

/**
 * The answers of a row: texts, turns or lists of turns in `chosen` and `rejected`. The prompt is in the row's other
 * fields, or is what both sides begin with (TRL's implicit prompt). Throws a UserError if an answer is missing, or if
 * the two are of different kinds.
 */
export function answerRows(row: JsonObject, { fields }: { readonly fields: ConversationFields }): AnswerRows {
  const [chosen, rejected] = [answerIn(row, 'chosen', fields), answerIn(row, 'rejected', fields)];
  const rest = Object.fromEntries(Object.entries(row).filter(([name]) => !ownFields.includes(name)));
  const scores = scoreProblems(row);
  if (typeof chosen === 'string' && typeof rejected === 'string') {
    const written = textRows(rest, { chosen, rejected, fields });
    return { ...written, unshown: [...written.unshown, ...scores] };
  }
  const turns = { chosen: turnsIn(chosen, fields), rejected: turnsIn(rejected, fields) };
  if (turns.chosen !== undefined && turns.rejected !== undefined) {
    const written = turnRows(rest, { chosen: turns.chosen, rejected: turns.rejected, fields });
    return { ...written, unshown: [...written.unshown, ...scores] };
  }
  throw new UserError({
    code: 'bad-preference',
    message: 'its `chosen` and `rejected` are neither two texts nor two lists of turns',
    help: 'give both answers in the same form: a text, a turn or a list of turns such as [{"role": "assistant", "content": "..."}]',
  });
}

function answerIn(row: JsonObject, name: Side, fields: ConversationFields): Json {
  const value = row[name];
  if (value === undefined || value === null) throw missingField(row, name);
  const parsed = jsonIn(value);
  return turnsIn(parsed, fields) === undefined ? value : parsed; // an answer may be other JSON
}

type Turns = readonly JsonObject[];

/** A turn or turns, which say who speaks; undefined for anything else. */
function turnsIn(value: Json, { role }: ConversationFields): Turns | undefined {
  const list = isList(value) ? value : [value];
  const isTurn = (turn: Json): turn is JsonObject =>
    isObject(turn) &&
    [role, 'role', 'from'].some((name) => name !== undefined && typeof turn[name] === 'string');
  return list.length > 0 && list.every(isTurn) ? list : undefined;
}

/** Texts as answers to the row's prompt: its turns, its `prompt` or its `instruction`. */
function textRows(
  row: JsonObject,
  { chosen, rejected, fields }: Record<Side, string> & { readonly fields: ConversationFields },
): AnswerRows {
  const listName = conversationField(row, fields);
  if (listName !== undefined) {
    const answer = (content: string): Turns => [
      { [fields.role ?? 'role']: 'assistant', [fields.content ?? 'content']: content },
    ];
    return turnRows(row, { chosen: answer(chosen), rejected: answer(rejected), fields });
  }
  // Any other text may be the prompt of a template of one's own.
  const hasPrompt = Object.values(row).some(
    (value) => value !== null && value !== '' && numberIn(value) === undefined,
  );
  const side = (answer: string, prompt: JsonObject): JsonObject => ({
    ...row,
    ...prompt,
    ...Object.fromEntries(textFields.map((name) => [name, answer])),
  });
  const lost = ['output', 'completion'].filter(
    (name) => ![undefined, null, '', chosen, rejected].some((known) => row[name] === known),
  );
  const unshown = lost.map((name) => replaced(name));
  const base = { answerFields: textFields, unshown };
  if (hasPrompt) return { ...base, chosen: side(chosen, {}), rejected: side(rejected, {}) };
  const length = sharedLength(chosen, rejected);
  const prompt = { prompt: chosen.slice(0, length) };
  return {
    ...base,
    chosen: side(chosen.slice(length), prompt),
    rejected: side(rejected.slice(length), prompt),
  };
}

/**
 * The characters that two texts begin with, without a space before the first difference, as TRL's `extract_prompt` has
 * it. Equal texts have no prompt that could be told from their answer.
 */
function sharedLength(a: string, b: string): number {
  if (a === b) return 0;
  let length = 0;
  while (length < Math.min(a.length, b.length) && a[length] === b[length]) length += 1;
  return a[length - 1] === ' ' ? length - 1 : length;
}

/** Turns as answers to the row's turns or prompt, or as whole conversations that begin alike. */
function turnRows(
  row: JsonObject,
  { chosen, rejected, fields }: Record<Side, Turns> & { readonly fields: ConversationFields },
): AnswerRows {
  const name = conversationField(row, fields);
  const field = fields.field ?? 'messages';
  const others = Object.fromEntries(
    Object.entries(row).filter(([key]) => key !== name && key !== 'prompt' && key !== 'completion'),
  );
  const side = (turns: Turns): JsonObject => ({ ...others, [field]: turns });
  const listed = name === undefined ? undefined : turnsIn(jsonIn(row[name] ?? null), fields);
  const prompt = turnsIn(jsonIn(row.prompt ?? null), fields) ?? promptTurn(row.prompt, fields);
  if (isWhole(chosen, fields) && isWhole(rejected, fields)) {
    if (canonicalJson(chosen[0] ?? null) !== canonicalJson(rejected[0] ?? null)) throw noSharedPrompt();
    const known = [chosen, rejected].map((turns) => canonicalJson([...turns]));
    const isRepeated = listed === undefined || known.includes(canonicalJson([...listed]));
    return {
      chosen: side(chosen),
      rejected: side(rejected),
      answerFields: [field],
      unshown: [
        ...(name === undefined || isRepeated ? [] : [replaced(name)]),
        ...(prompt === undefined || contains(chosen, prompt) ? [] : [replaced('prompt')]),
      ],
    };
  }
  const given = listed === undefined ? prompt : withoutAnswer(listed, fields);
  if (given === undefined) return instructionRows(row, { chosen, rejected, fields });
  const gold = listed === undefined || listed.length === given.length ? undefined : listed.at(-1);
  const isKnown = [chosen, rejected].some((turns) => gold !== undefined && contains(turns, [gold]));
  return {
    chosen: side([...given, ...chosen]),
    rejected: side([...given, ...rejected]),
    answerFields: [field],
    unshown: [
      ...(gold === undefined || isKnown || name === undefined ? [] : [replaced(name)]),
      ...(listed === undefined || prompt === undefined || contains(given, prompt)
        ? []
        : [replaced('prompt')]),
    ],
  };
}

/** A turn that answers an instruction, as the text of the answer. */
function instructionRows(
  row: JsonObject,
  { chosen, rejected, fields }: Record<Side, Turns> & { readonly fields: ConversationFields },
): AnswerRows {
  const textOf = ([turn, ...more]: Turns) => (more.length === 0 ? contentOf(turn, fields) : undefined);
  const [preferred, other] = [textOf(chosen), textOf(rejected)];
  if (row.instruction !== undefined && typeof preferred === 'string' && typeof other === 'string')
    return textRows(row, { chosen: preferred, rejected: other, fields });
  throw new UserError({
    code: 'bad-preference',
    message: 'its answers are turns, and it has no prompt',
    help: `a pair has its prompt in \`prompt\`, \`messages\`, \`conversations\` or \`instruction\`, or both answers begin with it; ${fieldsOf(row)}`,
  });
}

/** The field with a list of turns. */
const conversationField = (row: JsonObject, { field }: ConversationFields): string | undefined =>
  [...(field === undefined ? ['messages', 'conversations'] : [field])].find(
    (name) => row[name] !== undefined && row[name] !== null,
  );

const promptTurn = (prompt: Json | undefined, fields: ConversationFields): Turns | undefined =>
  typeof prompt === 'string' && prompt !== ''
    ? [{ [fields.role ?? 'role']: 'user', [fields.content ?? 'content']: prompt }]
    : undefined;

/** Whether turns begin with something other than an answer. */
const isWhole = ([first]: Turns, fields: ConversationFields): boolean => !isAnswer(first, fields);

const answerers = ['assistant', 'gpt', 'chatgpt', 'bing', 'bard', 'model'];

function isAnswer(turn: JsonObject | undefined, { role, roles }: ConversationFields): boolean {
  const who = [role, 'role', 'from']
    .flatMap((name) => (name === undefined ? [] : [turn?.[name]]))
    .find(Boolean);
  if (typeof who !== 'string') return false;
  return Object.hasOwn(roles, who) ? roles[who] === 'assistant' : answerers.includes(who);
}

const contentOf = (turn: JsonObject | undefined, { content }: ConversationFields): Json | undefined =>
  [content, 'content', 'value']
    .flatMap((name) => (name === undefined ? [] : [turn?.[name]]))
    .find((value) => value !== undefined && value !== null);

/** Turns whose last is an answer already are those before it: the row's two answers take its place. */
const withoutAnswer = (turns: Turns, fields: ConversationFields): Turns =>
  isAnswer(turns.at(-1), fields) ? turns.slice(0, -1) : turns;

/** Whether each of the texts of `parts` is the text of a turn. */
function contains(turns: Turns, parts: Turns): boolean {
  const fields: ConversationFields = { roles: {} };
  const textOf = (turn: JsonObject) => String(contentOf(turn, fields) ?? '').trim();
  const texts = new Set(turns.map(textOf));
  return parts.every((part) => texts.has(textOf(part)));
}

const replaced = (name: string): Unshown => ({
  name,
  problem: `\`${name}\` says something else than the two answers, which take its place`,
});

function scoreProblems({ score_chosen: chosen, score_rejected: rejected }: JsonObject): readonly Unshown[] {
  const [better, worse] = [numberIn(chosen ?? null), numberIn(rejected ?? null)];
  if (better === undefined || worse === undefined || better > worse) return [];
  return [
    {
      name: 'score_chosen',
      problem: `\`score_chosen\` is ${better === worse ? 'equal to' : 'lower than'} \`score_rejected\``,
    },
  ];
}

const noSharedPrompt = (): UserError =>
  new UserError({
    code: 'bad-preference',
    message:
      'its `chosen` and `rejected` are conversations with different beginnings, so they answer no common prompt',
    help: 'both have to begin with the turns of the prompt',
  });
