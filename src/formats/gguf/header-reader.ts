import { readSync } from 'node:fs';
import { UserError } from '../../core/index.ts';

/** Many times what the largest vocabularies need. */
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

/** Reads a GGUF file from its start, value by value, and never beyond its end. Numbers are little-endian. */
export class HeaderReader {
  readonly path: string;
  readonly #descriptor: number;
  readonly #limit: number;
  readonly #size: number;
  #window = new Uint8Array(0);
  /** The window's offset in the file. */
  #windowStart = 0;
  #position = 0;

  constructor({ path, descriptor, size }: HeaderSource) {
    this.path = path;
    this.#descriptor = descriptor;
    this.#size = size;
    this.#limit = Math.min(size, maximumHeaderBytes);
  }

  /** The offset of the next byte. */
  get position(): number {
    return this.#position;
  }

  uint32(): number {
    return this.take(4).getUint32(0, true);
  }

  /** A count or size. Beyond the safe integers it is inexact, but so large that every check fails. */
  uint64(): number {
    return Number(this.take(8).getBigUint64(0, true));
  }

  /** The number of items that follow, each of at least `bytesEach` bytes. */
  count({
    what,
    bytesEach,
    most = Number.MAX_SAFE_INTEGER,
  }: {
    readonly what: string;
    readonly bytesEach: number;
    readonly most?: number;
  }): number {
    const count = this.uint64();
    if (count > most) throw badGguf(this.path, `it claims ${count} ${what}; at most ${most} are allowed`);
    if (count * bytesEach <= this.#limit - this.#position) return count;
    throw badGguf(this.path, `it claims ${count} ${what}, more than its ${this.#size} bytes can hold`);
  }

  /** A length in bytes, followed by UTF-8. */
  string(): string {
    const bytes = this.take(this.count({ what: 'bytes of text', bytesEach: 1 }));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw badGguf(this.path, `the text that ends at byte ${this.#position} is not UTF-8`);
    }
  }

  /** The next bytes; the view is valid until the next call. */
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

/** A file that violates the format. */
export const badGguf = (path: string, what: string): UserError =>
  new UserError({
    code: 'bad-gguf',
    message: `${path} is not a valid GGUF file: ${what}`,
    help: 'the file may be cut short or written by something else; fetch or write it again',
  });

/** A valid file with something that is not supported. */
export const unsupportedGguf = (path: string, what: string): UserError =>
  new UserError({
    code: 'unsupported-model',
    message: `${path} ${what}`,
    help: 'take another GGUF file, or the model’s folder in Hugging Face’s layout',
  });
