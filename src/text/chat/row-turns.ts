import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { missingField, optionalText, requiredText } from '../template/row-field.ts';
import { jsonIn } from './json-in-text.ts';
import { type Turn, type TurnFields, turnOf } from './turn.ts';

/** Which fields of a row hold its conversation. */
export interface ConversationFields extends TurnFields {
  /** The list of turns; by default `messages` or `conversations`. */
  readonly field?: string | undefined;
}

interface RowTurns {
  readonly turns: readonly Turn[];
  /** The fields of the row that hold them. */
  readonly read: readonly string[];
}

interface TurnReading {
  readonly fields: ConversationFields;
  readonly writesCalls: boolean;
}

/** The turns of a row, in the layout that its fields show. */
export function rowTurns(row: JsonObject, reading: TurnReading): RowTurns {
  const has = (name: string) => row[name] !== undefined && row[name] !== null;
  const name = reading.fields.field ?? ['messages', 'conversations'].find(has);
  if (name !== undefined) return { turns: listedTurns(row, name, reading), read: [name] };
  if (has('prompt') && !has('instruction'))
    return { turns: promptTurns(row, reading), read: ['prompt', 'completion'] };
  return { turns: instructionTurns(row), read: ['instruction', 'input', 'output', 'history'] };
}

const example = '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]';

/** A field that is a list of turns, or the JSON text of one. */
function listedTurns(row: JsonObject, name: string, reading: TurnReading): readonly Turn[] {
  const given = row[name];
  if (given === undefined || given === null) throw missingField(row, name);
  const turns = jsonIn(given);
  if (isList(turns) && turns.length > 0)
    return turns.map((turn, index) => turnOf(turn, { ...reading, place: `${name}[${index}]` }));
  throw new UserError({
    code: 'bad-conversation',
    message: `its field \`${name}\` is ${isList(turns) ? 'an empty list' : 'not a list'}, where a list of turns belongs`,
    help: `a conversation is ${example}; it may also be JSON text`,
  });
}

/** A prompt and its completion, each a text or a list of turns. Answers within the prompt are not learned. */
function promptTurns(row: JsonObject, reading: TurnReading): readonly Turn[] {
  const side = (name: string, role: string): readonly Turn[] => {
    const value = row[name] ?? null;
    if (value === null || value === '') return [];
    if (isTurns(jsonIn(value), reading.fields)) return listedTurns(row, name, reading);
    return [plainTurn(role, requiredText(row, name))];
  };
  const asked = side('prompt', 'user').map((turn) =>
    turn.message.role === 'assistant' ? { ...turn, learned: turn.learned ?? false } : turn,
  );
  return [...asked, ...side('completion', 'assistant')];
}

/** A text may hold other JSON, which is then the text of a turn. */
const isTurns = (value: Json, { role = '' }: ConversationFields): boolean =>
  isList(value) &&
  value.length > 0 &&
  value.every(
    (turn) => isObject(turn) && [role, 'role', 'from'].some((name) => typeof turn[name] === 'string'),
  );

const plainTurn = (role: string, content: string): Turn => ({
  message: { role, content },
  learned: undefined,
  dropped: [],
});

/** Earlier pairs of question and answer; an instruction, its input on the next line, and its output if it has one. */
function instructionTurns(row: JsonObject): readonly Turn[] {
  const input = optionalText(row, 'input');
  const instruction = requiredText(row, 'instruction');
  const output = optionalText(row, 'output');
  return [
    ...historyTurns(row.history ?? null),
    plainTurn('user', input === '' ? instruction : `${instruction}\n${input}`),
    ...(output === '' ? [] : [plainTurn('assistant', output)]),
  ];
}

function historyTurns(value: Json): readonly Turn[] {
  const history = jsonIn(value);
  if (history === null || history === '') return [];
  if (isList(history) && history.every(isPair))
    return history.flatMap(([question, answer]) => [
      plainTurn('user', question),
      plainTurn('assistant', answer),
    ]);
  throw new UserError({
    code: 'bad-conversation',
    message: 'its field `history` is not a list of pairs of question and answer',
    help: 'earlier turns are [["question", "answer"], ...]; give longer conversations as `messages`',
  });
}

const isPair = (value: Json): value is readonly [string, string] =>
  isList(value) && value.length === 2 && value.every((text) => typeof text === 'string');
