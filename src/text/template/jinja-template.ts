import { type JsonObject, jsonText, UserError, withinTime } from '../../core/index.ts';
import {
  compileJinja,
  failureIn,
  type JinjaTemplate,
  PythonError,
  RaisedByTemplate,
} from '../jinja/compile.ts';
import { globals } from '../jinja/globals.ts';
import { missingField, shortened } from './row-field.ts';
import { segmentsOf, type Template } from './template.ts';

/** In milliseconds, for one record. */
const timeLimit = 5000;

/** A template from Jinja sources. A row's values are data: they are inserted unchanged and never rendered. */
export function jinjaTemplate(
  sources: { readonly prompt: string; readonly header: string; readonly response: string },
  milliseconds: number = timeLimit,
): Template {
  const templates = [sources.prompt, sources.header, sources.response].map(parseJinja);
  let outOfTime = false;
  return (row) => {
    // If one record takes too long, so do thousands of others.
    const texts = outOfTime
      ? undefined
      : withinTime(milliseconds, () => templates.map((write) => write(row)));
    outOfTime = texts === undefined;
    if (texts === undefined) throw tooLong(milliseconds);
    const [prompt = '', header = '', response = ''] = texts.value;
    return segmentsOf({ prompt, header, response });
  };
}

/** Writes one text of a row. */
type RowText = (row: JsonObject) => string;

/** White space stays as it is, including the final line feed. */
const whiteSpace = { trimBlocks: false, lstripBlocks: false, keepTrailingNewline: true };

/** Parses a Jinja source. Throws a UserError if it does not parse or reads the clock. */
export function parseJinja(source: string): RowText {
  const template = parsed(source);
  if (!template.names.has('strftime_now')) return (row) => render(template, { source, row });
  throw new UserError({
    code: 'bad-template',
    message: 'the template reads the clock with `strftime_now`, so that no two runs would write the same',
  });
}

/** The names that a source reads. Throws a UserError if it does not parse. */
export const namesIn = (source: string): ReadonlySet<string> => parsed(source).names;

function parsed(source: string): JinjaTemplate {
  try {
    return compileJinja(source, whiteSpace);
  } catch (cause) {
    throw new UserError({
      code: 'bad-template',
      message: `the template does not parse: ${failureIn(cause, source)}`,
      help: 'values go between {{ and }}, statements between {% and %}; write a brace in the text as {{ "{{" }}',
      cause,
    });
  }
}

/** Jinja's own functions, which no field can replace. */
const functions = new Set(globals.map(([name]) => name));

function render(
  template: JinjaTemplate,
  { source, row }: { readonly source: string; readonly row: JsonObject },
): string {
  const fields = Object.keys(row).some((name) => functions.has(name)) ? withoutFunctions(row) : row;
  const noValue = (expression: string): never => {
    if (/^\w+$/.test(expression)) throw missingField(row, expression);
    throw unwritable(row, `\`${expression}\` has no value`);
  };
  try {
    return template.render(fields, { noValue }).text;
  } catch (cause) {
    if (cause instanceof RaisedByTemplate) throw unwritable(row, cause.message);
    if (cause instanceof PythonError) throw unwritable(row, failureIn(cause, source));
    throw cause;
  }
}

/** Passes reads on to the row, as someone may watch which of its fields are read. */
function withoutFunctions(row: JsonObject): JsonObject {
  const names = Object.keys(row).filter((name) => !functions.has(name));
  const fields = names.map((name) => [name, { enumerable: true, get: () => row[name] }] as const);
  return Object.defineProperties({}, Object.fromEntries(fields));
}

const tooLong = (milliseconds: number): UserError =>
  new UserError({
    code: 'template-too-long',
    message: `its template takes more than ${milliseconds / 1000} s`,
    help: 'look for loops within loops, and for macros that call themselves',
  });

function unwritable(row: JsonObject, reason: string): UserError {
  return new UserError({
    code: 'template-failed',
    message: `the template fails: ${reason}`,
    help: `test for what may be absent with {% if field %}; the row is ${shortened(jsonText(row), 160)}`,
  });
}
