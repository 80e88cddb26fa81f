import { TextDecoder } from 'node:util';
import { UserError } from '../core/index.ts';
import { readBytes } from './byte-stream.ts';

/** A longer line means that the file is not line-based text. */
const maximumLineBytes = 64 * 1024 * 1024;

/**
 * The lines of a UTF-8 text with their numbers, from 1, without line ends (LF or CRLF) and byte order mark.
 * Throws a UserError for bytes that are not UTF-8 and for a line beyond 64 MiB.
 */
export async function* readLines(
  path: string,
): AsyncGenerator<{ readonly number: number; readonly text: string }> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pending: Buffer[] = [];
  let pendingBytes = 0;
  let number = 1;
  for await (const chunk of readBytes(path)) {
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      const bytes = joined(pending, chunk.subarray(start, end));
      yield { number, text: decodeLine({ bytes, decoder, path, number }) };
      number += 1;
      pendingBytes = 0;
      start = end + 1;
    }
    pending.push(chunk.subarray(start));
    pendingBytes += chunk.length - start;
    if (pendingBytes > maximumLineBytes) throw lineTooLong(path, number);
  }
  if (pendingBytes > 0) {
    yield { number, text: decodeLine({ bytes: joined(pending), decoder, path, number }) };
  }
}

/** Joins the pending buffers and `last`, and empties `pending`. */
function joined(pending: Buffer[], last?: Buffer): Buffer {
  if (pending.length === 0 && last !== undefined) return last;
  const bytes = Buffer.concat(last === undefined ? pending : [...pending, last]);
  pending.length = 0;
  return bytes;
}

function decodeLine(line: { bytes: Buffer; decoder: TextDecoder; path: string; number: number }): string {
  const { decoder, path, number } = line;
  const bytes = line.bytes.at(-1) === 0x0d ? line.bytes.subarray(0, -1) : line.bytes;
  try {
    const text = decoder.decode(bytes);
    return number === 1 && text.startsWith('\uFEFF') ? text.slice(1) : text;
  } catch (cause) {
    throw lineNotUtf8({ path, number, bytes, cause });
  }
}

function lineNotUtf8(place: { path: string; number: number; bytes: Buffer; cause: unknown }): UserError {
  const utf16 = place.bytes[0] === 0xff || place.bytes[0] === 0xfe;
  return new UserError({
    code: 'not-utf-8',
    message: `${place.path}:${place.number}: the line is not UTF-8 text${utf16 ? ' (it looks like UTF-16)' : ''}`,
    help: asUtf8(utf16 ? 'UTF-16' : 'WINDOWS-1252'),
    cause: place.cause,
  });
}

/** Advice for a text in another encoding. */
export const asUtf8 = (encoding: string): string =>
  `save the file as UTF-8; a program for it is iconv: \`iconv -f ${encoding} -t UTF-8 FILE > NEW\`${
    encoding === 'UTF-16' ? '' : ', if that is its encoding'
  }`;

function lineTooLong(path: string, number: number): UserError {
  return new UserError({
    code: 'line-too-long',
    message: `${path}:${number}: the line is longer than ${maximumLineBytes / 1024 / 1024} MiB`,
    help: 'put one record on each line, or name the format with `type:` if the file is not JSONL',
  });
}

/** The error of a file that is not UTF-8, at the first such line. */
export async function notUtf8(path: string, cause: unknown): Promise<UserError> {
  try {
    for await (const _ of readLines(path));
  } catch (error) {
    if (error instanceof UserError) return error;
  }
  return new UserError({
    code: 'not-utf-8',
    message: `${path} is not UTF-8 text`,
    help: asUtf8('WINDOWS-1252'),
    cause,
  });
}
