import { ExactNumber, isList, type Json, type JsonObject, jsonText, UserError } from '../../core/index.ts';
import { isSpace } from '../../text/index.ts';
import { type DocumentTexts, documentTexts, type Target, templates } from './document-texts.ts';
import type { ShotSampler } from './shot-sampler.ts';
import type { Task } from './task.ts';

/** The text that a model is given for a document. */
export interface Context {
  readonly text: string;
  /** The length of its beginning that other documents have too; 0 if each has its own. */
  readonly shared: number;
}

interface ContextWriters {
  readonly task: Task;
  readonly columns: ReadonlySet<string>;
  readonly texts: DocumentTexts;
  readonly shots: ShotSampler;
}

/** A function that writes contexts: description, shots, question. It must get the documents in their order. */
export function contextWriter({ task, columns, texts, shots }: ContextWriters): (row: JsonObject) => Context {
  const { description, prompt, shots: fields } = task;
  const written = templates(columns);
  const describe = description === '' ? () => '' : written(description);
  const shotTexts = documentTexts(fields, { columns, hasChoices: prompt.doc_to_choice !== undefined });
  const solved = new Map<JsonObject, string>();
  const shotText = (shot: JsonObject): string => {
    const known = solved.get(shot) ?? solvedExample(shot, { task, texts: shotTexts });
    solved.set(shot, known);
    return known;
  };
  return (row) => {
    const described = describe(row);
    if (typeof described !== 'string') throw notText('description', described);
    const opening = described + shots.sample(row).map(shotText).join('');
    const prefix = texts.prefix(row) ?? '';
    const question = texts.text(row);
    const delimiter = prefix !== '' && needsDelimiter(question, prefix) ? prompt.target_delimiter : '';
    return {
      text: opening + question + delimiter + prefix,
      shared: fields.sampler === 'first_n' ? opening.length : 0,
    };
  };
}

function solvedExample(
  shot: JsonObject,
  { task: { shots }, texts }: { readonly task: Task; readonly texts: DocumentTexts },
): string {
  const question = texts.text(shot);
  const choices = texts.choices?.(shot);
  const target = texts.target(shot);
  const prefix = texts.prefix(shot) ?? '';
  if (target === '')
    return (
      question + (prefix !== '' && needsDelimiter(question, prefix) ? shots.target_delimiter : '') + prefix
    );
  const answer = delimited(prefix, answerText(target, choices), ' ');
  const delimiter = prefix === '' || needsDelimiter(question, prefix) ? shots.target_delimiter : '';
  return question + delimiter + answer + shots.fewshot_delimiter;
}

/** The text of a target: that of the choice it names, or the first of several. */
export function answerText(target: Target, choices: readonly string[] | undefined): string {
  const first = isList(target) ? (target[0] ?? null) : target;
  if (typeof first === 'string') return first;
  // True and False are 1 and 0 in Python, as an index too.
  const index = isList(target) || first instanceof ExactNumber ? undefined : first;
  if (choices === undefined || index === undefined || index === null) throw notText('doc_to_target', first);
  const choice = choices.at(Number(index));
  if (choice !== undefined) return choice;
  throw new UserError({
    code: 'no-such-choice',
    message: `its target is the choice ${index}, but it has ${choices.length} choices`,
  });
}

const notText = (name: string, value: Json): UserError =>
  new UserError({
    code: 'not-text',
    message: `\`${name}\` gives ${jsonText(value).slice(0, 80)} for it, not a text`,
  });

/** Whether no white space is where two texts meet. */
const needsDelimiter = (before: string, after: string): boolean =>
  before !== '' && !isSpace(before.at(-1) ?? '') && !isSpace(after);

const delimited = (before: string, after: string, delimiter: string): string => {
  if (before === '' || after === '') return before + after;
  return before + (needsDelimiter(before, after) ? delimiter : '') + after;
};
