import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import {
  instructionFields,
  listOfTexts,
  type RecognizedRow,
  recognizedRow,
  type ShapeName,
  shapeOf,
} from '../shapes/row-shape.ts';
import { missingField, optionalText, requiredText } from '../template/row-field.ts';
import { jsonIn } from './json-in-text.ts';
import { type Turn, type TurnFields, turnOf } from './turn.ts';

/** Which fields of a row hold its conversation. */
export interface ConversationFields extends TurnFields {
  /** The list of turns; by default `messages` or `conversations`. */
  readonly field?: string | undefined;
  /** The layout of the row; by default the one that its fields show. */
  readonly shape?: ShapeName | undefined;
}

interface RowTurns {
  readonly turns: readonly Turn[];
  /** The fields of the row that hold them, or that describe it in a layout that is known. */
  readonly read: readonly string[];
  /** The layout that the fields show; undefined where none is whole, or the configuration names the field. */
  readonly recognized: RecognizedRow | undefined;
}

interface TurnReading {
  readonly fields: ConversationFields;
  readonly writesCalls: boolean;
}

/** The turns of a row, in the layout that its fields show. Throws a UserError if they show several. */
export function rowTurns(row: JsonObject, reading: TurnReading): RowTurns {
  const { field, shape: given } = reading.fields;
  if (field !== undefined)
    return { turns: listedTurns(row, field, reading), read: [field], recognized: undefined };
  const shape = given ?? shapeOf(row);
  if (shape === undefined) return { ...incompleteTurns(row, reading), recognized: undefined };
  const recognized = recognizedRow(row, shape);
  const { turns, read } = turnsOfShape(row, { shape, reading });
  return { turns, read: [...read, ...recognized.about, ...repeatedPrompt(row, turns)], recognized };
}

type ReadTurns = Pick<RowTurns, 'turns' | 'read'>;

function turnsOfShape(
  row: JsonObject,
  { shape, reading }: { readonly shape: ShapeName; readonly reading: TurnReading },
): ReadTurns {
  switch (shape) {
    case 'openai':
      return { turns: listedTurns(row, 'messages', reading), read: ['messages'] };
    case 'sharegpt':
      return { turns: listedTurns(row, 'conversations', reading), read: ['conversations'] };
    case 'ultrachat':
      return { turns: listedTurns(row, 'data', reading), read: ['data'] };
    case 'prompt_completion':
      return { turns: promptTurns(row, reading), read: ['prompt', 'completion'] };
    case 'alpaca':
    case 'dolly':
      return instructionTurns(row);
    case 'oasst':
      throw new UserError({
        code: 'bad-conversation',
        message: 'it is one message of a tree, among rows that are none',
        help: "OpenAssistant's trees are read where every record is a message; format other rows in a stage of their own",
      });
    default:
      return shape satisfies never;
  }
}

/** A question without an answer, or a row whose layout is not known. */
function incompleteTurns(row: JsonObject, reading: TurnReading): ReadTurns {
  const has = (name: string) => row[name] !== undefined && row[name] !== null;
  if (has('prompt') && !has('instruction'))
    return { turns: promptTurns(row, reading), read: ['prompt', 'completion'] };
  const isOther = (field: string) => isTurns(jsonIn(row[field] ?? null), reading.fields);
  const other = has('instruction') ? undefined : Object.keys(row).find(isOther);
  if (other !== undefined) throw otherName(other);
  return instructionTurns(row);
}

/** `prompt` where it repeats a turn, as beside the `messages` of UltraChat and No Robots. */
const repeatedPrompt = ({ prompt }: JsonObject, turns: readonly Turn[]): readonly string[] =>
  typeof prompt === 'string' && turns.some(({ message }) => message.content === prompt) ? ['prompt'] : [];

const example = '[{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]';

const otherName = (name: string): UserError =>
  new UserError({
    code: 'bad-conversation',
    message: `it has no field \`messages\` or \`conversations\`; \`${name}\` is a list of turns`,
    help: `say so with \`conversation: { field: ${name} }\``,
  });

/** A field that is a list of turns, or of texts of user and assistant in turn, or the JSON text of one. */
function listedTurns(row: JsonObject, name: string, reading: TurnReading): readonly Turn[] {
  const given = row[name];
  if (given === undefined || given === null) throw missingField(row, name);
  // OpenAI's `messages` are never texts alone.
  const texts = name === 'messages' ? undefined : listOfTexts(given);
  if (texts !== undefined)
    return texts.map((text, index) => plainTurn(index % 2 === 0 ? 'user' : 'assistant', text));
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
function instructionTurns(row: JsonObject): ReadTurns {
  const names = instructionFields(row);
  const input = optionalText(row, names.input);
  const instruction = requiredText(row, names.instruction);
  const output = optionalText(row, names.output);
  const turns = [
    ...historyTurns(row.history ?? null),
    plainTurn('user', input === '' ? instruction : `${instruction}\n${input}`),
    ...(output === '' ? [] : [plainTurn('assistant', output)]),
  ];
  return { turns, read: [...Object.values(names), 'history'] };
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
