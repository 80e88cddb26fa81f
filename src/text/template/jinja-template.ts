import type { JsonObject } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { fieldsOf, missingField } from './row-field.ts';
import { type OutputName, type StrictTemplate, strictTemplate } from './strict-template.ts';
import { segmentsOf, type Template } from './template.ts';

/** A user's template: the source of each segment, in Jinja. */
export interface JinjaSources {
  readonly prompt: string;
  readonly header: string;
  readonly response: string;
}

/** A template from Jinja sources. A row's values are data: they are written as they stand and never rendered themselves. */
export function jinjaTemplate({ prompt, header, response }: JinjaSources): Template {
  const templates = [parseJinja(prompt), parseJinja(header), parseJinja(response)] as const;
  return (row) => {
    const [promptText, headerText, responseText] = [
      render(templates[0], row),
      render(templates[1], row),
      render(templates[2], row),
    ];
    return segmentsOf({ prompt: promptText, header: headerText, response: responseText });
  };
}

/** Parses a Jinja source; throws a UserError where it does not parse or asks for the clock. */
export function parseJinja(source: string): StrictTemplate {
  let template: StrictTemplate;
  try {
    template = strictTemplate(source);
  } catch (cause) {
    throw new UserError({
      code: 'bad-template',
      message: `the template does not parse: ${parserReason(cause)}`,
      help: 'values stand in {{ }}, statements in {% %}; a brace that is text is written {{ "{{" }}',
      cause,
    });
  }
  if (!template.names.has('strftime_now')) return template;
  throw new UserError({
    code: 'bad-template',
    message: 'the template asks for the time with `strftime_now`, so that no two runs would write the same',
  });
}

/** The parser runs beyond its input, with a TypeError, where a block has no end. */
function parserReason(cause: unknown): string {
  if (cause instanceof TypeError) return 'it ends before its last block does';
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.replace(/^Parser Error: /, '').replace(/\.$/, '');
}

/** The language's own names, which no field can take. */
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
  const used = Object.entries(row).filter(([name]) => template.names.has(name) && !globals.has(name));
  const noValue = (name: OutputName): never => {
    if (name !== undefined && !name.includes('.')) throw missingField(row, name);
    throw unwritable(row, `\`${name ?? 'a value'}\` has no value`);
  };
  try {
    return template.render(Object.fromEntries(used), noValue);
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw unwritable(row, cause instanceof Error ? cause.message : String(cause));
  }
}

function unwritable(row: JsonObject, reason: string): UserError {
  return new UserError({
    code: 'template-failed',
    message: `its template fails: ${reason}`,
    help: `what may be absent is asked for with {% if field %} first; ${fieldsOf(row)}`,
  });
}
