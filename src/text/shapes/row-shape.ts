import { isList, isObject, type Json, type JsonObject, UserError } from '../../core/index.ts';
import { jsonIn } from '../chat/json-in-text.ts';

/** Layouts of a row that stands for a conversation or an instruction, by the data set that made each known. */
export type ShapeName =
  | 'openai'
  | 'sharegpt'
  | 'ultrachat'
  | 'prompt_completion'
  | 'alpaca'
  | 'dolly'
  | 'oasst';

interface RowShape {
  /** What people read: the fields, and whose layout it is. */
  readonly words: string;
  /** Whether a row says plainly, question and answer, that it has this layout. */
  readonly fits: (row: JsonObject) => boolean;
}

/** Whether the fields have a value. Does not read it, as a template does that watches which fields it reads. */
const has = (row: JsonObject, ...names: readonly string[]): boolean =>
  names.every((name) => {
    const value: unknown = Object.getOwnPropertyDescriptor(row, name)?.value;
    return value !== undefined && value !== null;
  });

const isTextList = (value: Json | undefined): boolean => listOfTexts(value ?? null) !== undefined;

/** A list of texts that take turns, or the JSON text of one. */
export function listOfTexts(value: Json): readonly string[] | undefined {
  const list = jsonIn(value);
  return isList(list) && list.length > 0 && list.every((text) => typeof text === 'string') ? list : undefined;
}

const shapes: Readonly<Record<ShapeName, RowShape>> = {
  openai: { words: "`messages`, OpenAI's layout", fits: (row) => has(row, 'messages') },
  sharegpt: { words: "`conversations`, ShareGPT's layout", fits: (row) => has(row, 'conversations') },
  ultrachat: { words: "`data`, UltraChat's list of texts", fits: (row) => isTextList(row.data) },
  prompt_completion: {
    words: '`prompt` and `completion`',
    fits: (row) => has(row, 'prompt', 'completion'),
  },
  alpaca: {
    words: "`instruction`, `input` and `output`, Alpaca's layout",
    fits: (row) => has(row, 'instruction', 'output'),
  },
  dolly: {
    words: "`instruction`, `context` and `response`, Dolly's layout",
    fits: (row) => has(row, 'instruction', 'response') && !has(row, 'output'),
  },
  oasst: {
    words: "messages that name their parents, OpenAssistant's layout",
    fits: (row) => has(row, 'message_id', 'text', 'role') && Object.hasOwn(row, 'parent_id'),
  },
};

/** Whether a row has a layout, whatever others it has. */
export const shapeFits = (name: ShapeName, row: JsonObject): boolean => shapes[name].fits(row);

/**
 * The layout that a row's fields show; undefined if they show none whole, such as a question without an answer. Throws a
 * UserError if they show several.
 */
export function shapeOf(row: JsonObject): ShapeName | undefined {
  const fitting = (Object.keys(shapes) as ShapeName[]).filter((name) => shapes[name].fits(row));
  if (fitting.length <= 1) return fitting[0];
  throw new UserError({
    code: 'ambiguous-row',
    message: `its fields fit ${fitting.length} layouts: ${fitting.map((name) => `\`${name}\` (${shapes[name].words})`).join(', ')}`,
    help: `say which one with \`conversation: { shape: ${fitting[0]} }\``,
  });
}

/** Sets that have more fields than their layout: all of `marks` show one, and `about` describe the row. */
interface KnownSet {
  readonly shape: ShapeName;
  readonly name: string;
  readonly marks: readonly string[];
  /** Fields that are no part of what is said. */
  readonly about: readonly string[];
}

const knownSets: readonly KnownSet[] = [
  {
    shape: 'openai',
    name: 'No Robots',
    marks: ['messages', 'prompt', 'prompt_id', 'category'],
    about: ['prompt_id', 'category'],
  },
  { shape: 'openai', name: 'UltraChat', marks: ['messages', 'prompt', 'prompt_id'], about: ['prompt_id'] },
  {
    shape: 'sharegpt',
    name: 'OpenHermes',
    marks: ['conversations', 'skip_prompt_formatting', 'avatarUrl'],
    about: [
      ...['source', 'category', 'topic', 'title', 'hash', 'idx', 'views', 'avatarUrl', 'language'],
      ...['model', 'model_name', 'skip_prompt_formatting'],
    ],
  },
  { shape: 'dolly', name: 'Dolly', marks: ['context', 'category'], about: ['category'] },
];

/** LIMA's conversations are lists of texts, and SlimOrca's turns have weights. */
function setOf(row: JsonObject, shape: ShapeName): Omit<KnownSet, 'marks' | 'shape'> | undefined {
  const known = knownSets.find(
    ({ shape: own, marks }) => own === shape && marks.every((name) => Object.hasOwn(row, name)),
  );
  if (known !== undefined || shape !== 'sharegpt') return known;
  if (isTextList(row.conversations)) return { name: 'LIMA', about: ['source'] };
  const [first] = isList(row.conversations) ? row.conversations : [];
  const hasWeights = isObject(first) && Object.hasOwn(first, 'weight');
  return hasWeights ? { name: 'SlimOrca', about: [] } : undefined;
}

export interface RecognizedRow {
  readonly shape: ShapeName;
  /** What people read: the set, where the fields show it, and the fields. */
  readonly words: string;
  /** Fields that describe the row, so that a text that does not show them loses nothing. */
  readonly about: readonly string[];
}

/** What is known of a row of a shape. */
export function recognizedRow(row: JsonObject, shape: ShapeName): RecognizedRow {
  const set = setOf(row, shape);
  const { words } = shapes[shape];
  return {
    shape,
    words: set === undefined || words.includes(set.name) ? words : `${words}, as ${set.name} has it`,
    about: set?.about ?? [],
  };
}

/** An instruction with its input and its answer, as `instruction`, `input` and `output` of a row or as Dolly names them. */
export interface InstructionFields {
  readonly instruction: 'instruction';
  readonly input: 'input' | 'context';
  readonly output: 'output' | 'response';
}

/** Dolly's names where a row has those and not the usual ones. */
export const instructionFields = (row: JsonObject): InstructionFields =>
  shapes.dolly.fits(row)
    ? { instruction: 'instruction', input: has(row, 'input') ? 'input' : 'context', output: 'response' }
    : { instruction: 'instruction', input: 'input', output: 'output' };
