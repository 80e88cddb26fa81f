import { isList, isObject, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';
import { literalJson, strictTemplate } from '../../text/index.ts';
import type { PromptFields } from './task.ts';

/** What a task's templates make of a document. */
export interface DocumentTexts {
  readonly text: (row: JsonObject) => string;
  readonly target: (row: JsonObject) => Target;
  /** Undefined if the task has no choices. */
  readonly choices: ((row: JsonObject) => readonly string[]) | undefined;
  readonly prefix: (row: JsonObject) => string | undefined;
}

/** A text, a number, which may be the index of a choice, or a list. */
export type Target = Exclude<Json, null | JsonObject>;

interface Writers {
  /** The columns of the evaluated split: a field that is named so is no template. */
  readonly columns: ReadonlySet<string>;
  /** Whether the task has choices, so that digits count as an index. */
  readonly hasChoices: boolean;
}

/** The writers of a document's text, target and choices, as lm-evaluation-harness makes them. */
export function documentTexts(fields: PromptFields, { columns, hasChoices }: Writers): DocumentTexts {
  const { doc_to_text: text, doc_to_target: target, doc_to_choice: choice, gen_prefix: prefix } = fields;
  const written = templates(columns);
  const writeText = typeof text === 'number' ? () => text : written(text);
  const writeTarget = typeof target === 'string' ? written(target) : () => target;
  return {
    text: (row) => {
      const value = writeText(row);
      if (typeof value === 'string' && !(hasChoices && isNumeral(value) && !columns.has(String(text))))
        return value;
      throw unfit('doc_to_text', value, 'a text (an index of several contexts is not supported)');
    },
    target: (row) => {
      const value = writeTarget(row);
      const isField = typeof target === 'string' && columns.has(target);
      return targetOf(isField || typeof value !== 'string' ? value : evaluated(value, hasChoices));
    },
    choices: choice === undefined ? undefined : choiceWriter(choice, { columns, written }),
    prefix: (row) => {
      if (prefix === undefined) return undefined;
      const value = Object.hasOwn(row, prefix) ? (row[prefix] ?? null) : written(prefix)(row);
      if (typeof value === 'string') return value;
      throw unfit('gen_prefix', value, 'a text');
    },
  };
}

type Writer = (row: JsonObject) => Json;

/** Templates by their sources, each parsed once; the name of a column stands for its value. */
export function templates(columns: ReadonlySet<string>): (source: string) => Writer {
  const known = new Map<string, Writer>();
  return (source) => {
    const writer = known.get(source) ?? (columns.has(source) ? field(source) : strictTemplate(source));
    known.set(source, writer);
    return writer;
  };
}

const field =
  (name: string): Writer =>
  (row) => {
    const value = Object.hasOwn(row, name) ? row[name] : undefined;
    if (value !== undefined) return value;
    throw new UserError({ code: 'missing-field', message: `it has no field \`${name}\`` });
  };

/** Python's `isdigit`, for what can be read as a number. */
const isNumeral = (text: string): boolean => /^\p{Nd}+$/u.test(text);

/** What a rendered target stands for: with choices digits are an index, and a list in brackets is one. */
function evaluated(text: string, hasChoices: boolean): Json {
  if (hasChoices && isNumeral(text)) {
    const index = literalJson(text);
    if (typeof index === 'number') return index;
    throw unfit('doc_to_target', text, 'an index without leading zeros');
  }
  const isBracketed = text.length >= 2 && text.startsWith('[') && text.endsWith(']');
  return isBracketed ? (literalJson(text) ?? text) : text;
}

function targetOf(value: Json): Target {
  if (value !== null && !isObject(value)) return value;
  throw unfit('doc_to_target', value, 'a text, a number or a list');
}

function choiceWriter(
  choice: string | readonly Json[],
  {
    columns,
    written,
  }: { readonly columns: ReadonlySet<string>; readonly written: (source: string) => Writer },
): (row: JsonObject) => readonly string[] {
  return (row) => {
    const value = typeof choice === 'string' ? written(choice)(row) : choice;
    const list = typeof choice === 'string' && !columns.has(choice) ? literalJson(String(value)) : value;
    if (isList(list) && list.length > 0 && list.every((item) => typeof item === 'string')) return list;
    throw unfit('doc_to_choice', list ?? value, 'a list of texts');
  };
}

const unfit = (name: string, value: Json, expected: string): UserError =>
  new UserError({
    code: 'bad-document',
    message: `\`${name}\` gives ${jsonText(value).slice(0, 80)} for it, not ${expected}`,
    ...(isObject(value) ? { help: 'name a field of it in a template, such as {{ answer.text }}' } : {}),
  });
