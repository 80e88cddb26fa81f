import { createReadStream, createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../../core/index.ts';
import type { ResponseRecord } from '../../text/index.ts';

/** A response with its place among those of all prompts, as a share of the work writes it. */
export type PlacedResponse = { readonly position: number } & ResponseRecord;

// The position comes first in the line, and is cut off without reading the rest, which stays byte for byte.
const positioned = /^\{"position":(\d+),/;

/** Merges what the shares wrote into one file, in the order of the prompts. Throws a UserError if one is missing. */
export async function joinResponses(parts: readonly string[], output: string): Promise<void> {
  await pipeline(Readable.from(merged(parts)), createWriteStream(output, { flags: 'wx' }));
}

async function* merged(parts: readonly string[]): AsyncGenerator<string> {
  const heads = await Promise.all(parts.map((path) => nextOf(linesOf(path))));
  for (let position = 0; heads.some((head) => head !== undefined); position += 1) {
    const index = heads.findIndex((head) => head?.position === position);
    const head = heads[index];
    if (head === undefined)
      throw new UserError({
        code: 'incomplete-shards',
        message: `no shard has the response to prompt ${position + 1}`,
        help: 'run the stage again; if this repeats, run it without shards',
      });
    yield `${head.line}\n`;
    heads[index] = await nextOf(head.rest);
  }
}

interface Head {
  readonly position: number;
  readonly line: string;
  readonly rest: AsyncIterator<string>;
}

async function nextOf(rest: AsyncIterator<string>): Promise<Head | undefined> {
  const { done, value } = await rest.next();
  if (done) return undefined;
  const [prefix = '', position] = positioned.exec(value) ?? [];
  return { position: Number(position), line: `{${value.slice(prefix.length)}`, rest };
}

const linesOf = (path: string): AsyncIterator<string> =>
  createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]();
