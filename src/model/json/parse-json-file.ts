import { jsonFault } from '../../text/jsonl/json-fault.ts';
import { UserError } from '../../user-error.ts';

/** The value of a model folder's JSON file. Throws a UserError that names file, line and column where it is no JSON. */
export function parseJsonFile(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { line, column, reason } = jsonFault(cause, text);
    const message = `${path}:${line}:${column}: not JSON: ${reason}`;
    throw new UserError({ code: 'bad-model-folder', message, cause });
  }
}
