import { type JsonObject, UserError, withinTime } from '../../core/index.ts';
import { missingField, shortened } from './row-field.ts';
import { type StrictTemplate, strictTemplate } from './strict-template.ts';
import { segmentsOf, type Template } from './template.ts';

/** In milliseconds, for one record. */
const timeLimit = 5000;
/** A longer text could not be read back as a line. */
const mostCharacters = 16 * 1024 * 1024;

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
      : withinTime(milliseconds, () => templates.map((one) => render(one, row)));
    outOfTime = texts === undefined;
    if (texts === undefined) throw tooLong(milliseconds);
    const [prompt = '', header = '', response = ''] = texts.value;
    return segmentsOf({ prompt, header, response });
  };
}

/** Parses a Jinja source. Throws a UserError if it does not parse or reads the clock. */
export function parseJinja(source: string): StrictTemplate {
  let template: StrictTemplate;
  try {
    template = strictTemplate(source);
  } catch (cause) {
    throw new UserError({
      code: 'bad-template',
      message: `the template does not parse: ${parserReason(cause)}`,
      help: 'values go between {{ and }}, statements between {% and %}; write a brace in the text as {{ "{{" }}',
      cause,
    });
  }
  if (!template.names.has('strftime_now')) return template;
  throw new UserError({
    code: 'bad-template',
    message: 'the template reads the clock with `strftime_now`, so that no two runs would write the same',
  });
}

/** The parser runs beyond its input, with a TypeError, if a block has no end. */
function parserReason(cause: unknown): string {
  if (cause instanceof TypeError) return 'a block has no end';
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^Parser Error: /, '').replace(/\.$/, '');
}

/** Names of the language, which no field can take. */
const globals = new Set([
  'true',
  'True',
  'false',
  'False',
  'none',
  'None',
  'range',
  'raise_exception',
  'namespace',
]);

function render(template: StrictTemplate, row: JsonObject): string {
  // A field is read only if the template names it: who watches the row sees which fields are used.
  const names = Object.keys(row).filter((name) => template.names.has(name) && !globals.has(name));
  const used = names.map((name) => [name, row[name] ?? null] as const);
  const noValue = (expression: string): never => {
    if (/^\w+$/.test(expression)) throw missingField(row, expression);
    throw unwritable(row, `\`${expression}\` has no value`);
  };
  try {
    const text = template.render(Object.fromEntries(used), noValue);
    if (text.length > mostCharacters) throw new Error(`it writes ${text.length} characters`);
    return text;
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw unwritable(row, inPlainWords(cause instanceof Error ? cause.message : String(cause)));
  }
}

/** The library's names for types of values -> ours. */
const kinds: Readonly<Record<string, string>> = {
  UndefinedValue: 'a field that is absent',
  NullValue: 'null',
  StringValue: 'a text',
  IntegerValue: 'a number',
  FloatValue: 'a number',
  BooleanValue: 'true or false',
  ArrayValue: 'a list',
  ObjectValue: 'an object',
};

const inPlainWords = (reason: string): string =>
  reason
    .replace('Expected iterable or object type in for loop: got', 'its loop needs a list, not')
    .replace('Slice object must be an array or string', 'only a list or a text can be sliced with [:]')
    .replace(/\b[A-Z]\w+Value\b/g, (kind) => kinds[kind] ?? kind);

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
    help: `test for what may be absent with {% if field %}; the row is ${shortened(JSON.stringify(row), 160)}`,
  });
}
