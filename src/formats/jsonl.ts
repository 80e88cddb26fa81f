import { type FileHandle, open } from 'node:fs/promises';
import { type Json, jsonText, parseExactly, UserError } from '../core/index.ts';
import { checkJson, jsonFault } from './json-fault.ts';
import { readLines } from './lines.ts';

/** The values of a JSONL file with their line numbers, from 1, and numbers as the file spells them where that matters. Skips empty lines; a broken line is a UserError with file, line and column. */
export async function* readJsonl(
  path: string,
): AsyncGenerator<{ readonly number: number; readonly value: Json }> {
  for await (const { number, text } of readLines(path)) {
    if (text.trim() === '') continue;
    const value = parseLine({ path, number, text });
    checkJson({ value, place: `${path}:${number}` });
    yield { number, value };
  }
}

function parseLine(line: { path: string; number: number; text: string }): Json {
  try {
    return parseExactly(line.text) as Json; // of a JSON text
  } catch (cause) {
    const { column, reason, help } = jsonFault(cause, line.text);
    throw new UserError({
      code: 'bad-json',
      message: `${line.path}:${line.number}:${column}: the line is not JSON: ${reason}`,
      help: help ?? 'a JSONL file holds one complete JSON value on each line',
      cause,
    });
  }
}

const flushAtCharacters = 64 * 1024;

/** Writes one JSON value per line, with keys in the order of the value. */
export class JsonlWriter {
  readonly #file: FileHandle;
  #buffered = '';

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Creates the file, which must not exist. */
  static async create(path: string): Promise<JsonlWriter> {
    return new JsonlWriter(await open(path, 'wx'));
  }

  async write(value: unknown): Promise<void> {
    this.#buffered += `${jsonText(value)}\n`;
    if (this.#buffered.length >= flushAtCharacters) await this.#flush();
  }

  /** Writes the rest of the buffer and closes the file, even if writing fails. */
  async close(): Promise<void> {
    try {
      await this.#flush();
    } finally {
      await this.#file.close();
    }
  }

  async #flush(): Promise<void> {
    const text = this.#buffered;
    this.#buffered = '';
    if (text !== '') await this.#file.writeFile(text, 'utf8');
  }
}
