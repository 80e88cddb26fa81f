import { type FileHandle, open } from 'node:fs/promises';

const flushAtCharacters = 64 * 1024;

/** Writes one JSON value a line, keys in the order in which they stand in the value. */
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
    this.#buffered += `${JSON.stringify(value)}\n`;
    if (this.#buffered.length >= flushAtCharacters) await this.#flush();
  }

  /** Writes what is still buffered and closes the file, even where writing fails. */
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
