import { type JsonObject, jsonText, UserError, withinTime } from '../../core/index.ts';
import { compileJinja, failureIn, type JinjaTemplate, PythonError } from '../jinja/compile.ts';
import { shortened } from './row-field.ts';

/** In milliseconds, for one row. */
const timeLimit = 5000;
const whiteSpace = { trimBlocks: false, lstripBlocks: false, keepTrailingNewline: true };

/**
 * Writes rows as jinja2 with StrictUndefined does: what a row lacks fails even where it is only tested, and None is
 * written as `None`. A row's field hides the function of the same name. Throws a UserError if the source does not parse.
 */
export function strictTemplate(source: string): (row: JsonObject) => string {
  const template = parsed(source);
  return (row) => {
    const text = withinTime(timeLimit, () => rendered(template, { source, row }));
    if (text !== undefined) return text.value;
    throw failed(row, `it takes more than ${timeLimit / 1000} s`);
  };
}

function parsed(source: string): JinjaTemplate {
  // The engine has transformers' filter, which neither sorts keys nor escapes HTML.
  if (/\|\s*tojson\b/.test(source))
    throw new UserError({
      code: 'bad-template',
      message: `the filter \`tojson\` of the template ${JSON.stringify(shortened(source, 60))} is not supported`,
    });
  try {
    return compileJinja(source, whiteSpace);
  } catch (cause) {
    throw new UserError({
      code: 'bad-template',
      message: `the template ${JSON.stringify(shortened(source, 60))} does not parse: ${failureIn(cause, source)}`,
      cause,
    });
  }
}

function rendered(
  template: JinjaTemplate,
  { source, row }: { readonly source: string; readonly row: JsonObject },
): string {
  try {
    return template.render(row, { strict: true }).text;
  } catch (cause) {
    if (cause instanceof PythonError) throw failed(row, failureIn(cause, source));
    throw cause;
  }
}

const failed = (row: JsonObject, reason: string): UserError =>
  new UserError({
    code: 'template-failed',
    message: `the template fails: ${reason}`,
    help: `the row is ${shortened(jsonText(row), 160)}`,
  });
