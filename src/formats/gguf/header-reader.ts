import { readSync } from 'node:fs';
import { UserError } from '../../core/index.ts';

/** Many times what the largest vocabularies take. */
const maximumHeaderBytes = 100_000_000;
const windowBytes = 1 << 16;

export interface HeaderSource {
  /** For messages. */
  readonly path: string;
  /** An open file's descriptor. */
  readonly descriptor: number;
  /** The file's size in bytes. */
  readonly size: number;
}

interface Counted {
  readonly what: string;
  /** The least that each takes. */
  readonly bytesEach: number;
  readonly most?: number;
}

/** Reads a GGUF file from its beginning, value by value, and never beyond its end. Numbers are little-endian. */
export class HeaderReader {
  readonly path: string;
  readonly #descriptor: number;
  readonly #limit: number;
  readonly #size: number;
  #window = new Uint8Array(0);
  /** Where in the file the window begins. */
  #windowStart = 0;
  #position = 0;

  constructor({ path, descriptor, size }: HeaderSource) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#size = size;
    this.#limit = Math.min(size, maximumHeaderBytes);
  }

  /** The next byte's place in the file. */
  get position(): number {
    return this.#position;
  }

  uint32(): number {
    return this.take(4).getUint32(0, true);
  }

  /** A count or size; what is beyond the safe integers comes back as a larger, inexact number, which no check lets pass. */
  uint64(): number {
    return Number(this.take(8).getBigUint64(0, true));
  }

  /** How many things follow, each of which takes at least so many bytes. */
  count({ what, bytesEach, most = Number.MAX_SAFE_INTEGER }: Counted): number {
    const count = this.uint64();
    if (count > most) throw badGguf(this.path, `it claims ${count} ${what}; at most ${most} are allowed`);
    if (count * bytesEach <= this.#limit - this.#position) return count;
    throw badGguf(this.path, `it claims ${count} ${what}, more than its ${this.#size} bytes can hold`);
  }

  /** A length in bytes and so much UTF-8. */
  string(): string {
    const bytes = this.take(this.count({ what: 'bytes of text', bytesEach: 1 }));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw badGguf(this.path, `the text that ends at byte ${this.#position} is not UTF-8`);
    }
  }

  /** The next bytes; the view holds until the next call. */
  take(length: number): DataView {
    if (length > this.#limit - this.#position) {
      const [what, bytes] =
        this.#limit < this.#size ? ['is allowed to have', this.#limit] : ['has', this.#size];
      throw badGguf(this.path, `its header goes beyond the ${bytes} bytes that it ${what}`);
    }
    const end = this.#windowStart + this.#window.length;
    if (this.#position + length > end) this.#fill(length);
    const view = new DataView(this.#window.buffer, this.#position - this.#windowStart, length);
    this.#position += length;
    return view;
  }

  #fill(length: number): void {
    this.#windowStart = this.#position;
    this.#window = new Uint8Array(Math.min(Math.max(length, windowBytes), this.#size - this.#position));
    for (let filled = 0; filled < this.#window.length; ) {
      const wanted = this.#window.length - filled;
      const read = readSync(this.#descriptor, this.#window, filled, wanted, this.#position + filled);
      if (read === 0) throw badGguf(this.path, 'it became shorter while it was read');
      filled += read;
    }
  }
}

/** A file that does not hold to the format. */
export const badGguf = (path: string, what: string): UserError =>
  new UserError({
    code: 'bad-gguf',
    message: `${path} is not a valid GGUF file: ${what}`,
    help: 'the file may be cut short or written by something else; fetch or write it again',
  });

/** A file that holds to the format and says what is not supported here. */
export const unsupportedGguf = (path: string, what: string): UserError =>
  new UserError({
    code: 'unsupported-model',
    message: `${path} ${what}`,
    help: 'take a GGUF file of a Llama model, or the model’s folder in Hugging Face’s layout',
  });
