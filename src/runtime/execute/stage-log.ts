import { closeSync, openSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { SecretFilter } from '../stage/hide-secrets.ts';

const mebibyte = 2 ** 20;
/** Of a longer log, the beginning and the end are kept. */
const beginning = 31 * mebibyte;
const ending = mebibyte;

/** What a stage process writes during one action, without secrets and of bounded length. Empty logs make no file. */
export class StageLog {
  readonly #path: string;
  readonly #secrets: readonly string[];
  readonly #writers: LogWriter[] = [];
  #descriptor: number | undefined;
  #written = 0;
  #leftOut = 0;
  #end: Buffer[] = [];
  #endLength = 0;

  constructor({ path, secrets }: { readonly path: string; readonly secrets: readonly string[] }) {
    this.#path = path;
    this.#secrets = secrets;
  }

  /** A writer for one stream: a secret may be cut between two pieces of the same stream. */
  writer(): LogWriter {
    const filter = new SecretFilter(this.#secrets);
    const decoder = new StringDecoder('utf8');
    const hides = this.#secrets.length > 0;
    const writer: LogWriter = {
      write: (piece) => this.#add(hides ? Buffer.from(filter.push(decoder.write(piece))) : piece),
      end: () => {
        if (hides) this.#add(Buffer.from(filter.push(decoder.end()) + filter.end()));
      },
    };
    this.#writers.push(writer);
    return writer;
  }

  /** Writes what was held back, and closes the file. */
  close(): void {
    for (const writer of this.#writers.splice(0)) writer.end();
    const left = this.#leftOut - this.#endLength;
    if (left > 0) this.#write(Buffer.from(`\n[${left} bytes are left out here]\n`));
    for (const piece of this.#end.splice(0)) this.#write(piece);
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #add(piece: Buffer): void {
    const room = Math.max(0, beginning - this.#written);
    this.#write(piece.subarray(0, room));
    if (piece.length <= room) return;
    const rest = piece.subarray(Math.max(room, piece.length - ending));
    this.#leftOut += piece.length - room;
    this.#end.push(rest);
    this.#endLength += rest.length;
    for (let [first] = this.#end; first !== undefined; [first] = this.#end) {
      if (this.#endLength - first.length < ending) break;
      this.#end.shift();
      this.#endLength -= first.length;
    }
  }

  #write(piece: Buffer): void {
    if (piece.length === 0) return;
    try {
      this.#descriptor ??= openSync(this.#path, 'a');
      for (let at = 0; at < piece.length; ) at += writeSync(this.#descriptor, piece, at);
    } catch {
      // On a full disk the stage's own failure is the one to report.
    }
    this.#written += piece.length;
  }
}

interface LogWriter {
  readonly write: (piece: Buffer) => void;
  readonly end: () => void;
}
