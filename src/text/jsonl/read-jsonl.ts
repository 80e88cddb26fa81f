import type { Json } from '../../json.ts';
import { UserError } from '../../user-error.ts';
import { checkJson } from './check-json.ts';
import { jsonFault } from './json-fault.ts';
import { readLines } from './read-lines.ts';

export interface JsonLine {
  /** 1 is the first line of the file. */
  readonly number: number;
  readonly value: Json;
}

/** The values of a JSONL file. Empty lines are passed over; a broken line is a UserError that names file, line and column. */
export async function* readJsonl(path: string): AsyncGenerator<JsonLine> {
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === '') continue;
    const value = parseLine({ path, number, text });
    checkJson({ value, place: `${path}:${number}` });
    yield { number, value };
  }
}

function parseLine(line: { path: string; number: number; text: string }): Json {
  try {
    return JSON.parse(line.text);
  } catch (cause) {
    const { column, reason } = jsonFault(cause, line.text);
    throw new UserError({
      code: 'bad-json',
      message: `${line.path}:${line.number}:${column}: the line is not JSON: ${reason}`,
      help: 'a JSONL file holds one complete JSON value on each line',
      cause,
    });
  }
}
