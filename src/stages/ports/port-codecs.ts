import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { isObject, UserError } from '../../core/index.ts';
import { JsonlWriter, readJsonl } from '../../formats/index.ts';
import { parseScores } from '../../metrics/index.ts';
import { type DataRecord, parseRecord, parseResponse, type ResponseRecord } from '../../text/index.ts';
import type { HistoryEntry } from '../../training/index.ts';
import { readBatches, writeBatches } from './batches-file.ts';
import type { KnownPortType, PortReaders, PortWriters, Sink, Writable } from './port-contents.ts';
import { readTokens, writeTokens } from './tokens-file.ts';

/** A writer; `close` is called once the stage has written everything. */
export interface OpenWriter<Content> {
  readonly content: Content;
  readonly close: () => Promise<void>;
}

interface PortCodec<Type extends KnownPortType> {
  readonly read: (path: string) => PortReaders[Type];
  readonly openWriter: (path: string) => Promise<OpenWriter<PortWriters[Type]>>;
}

/** Port type -> how its content is read from and written to disk. */
export const portCodecs: { readonly [Type in KnownPortType]: PortCodec<Type> } = {
  records: { read: records, openWriter: jsonlSink },
  responses: { read: responses, openWriter: jsonlSink },
  history: { read: history, openWriter: jsonlSink },
  tokens: { read: (path) => ({ read: () => readTokens(path) }), openWriter: fileOf(writeTokens) },
  batches: { read: (path) => ({ read: () => readBatches(path) }), openWriter: fileOf(writeBatches) },
  scores: {
    read: (path) => ({ read: async () => parseScores(await readFile(path, 'utf8'), path) }),
    openWriter: fileOf((path, value) => writeFile(path, `${JSON.stringify(value, null, 2)}\n`)),
  },
  model: { read: (path) => ({ path }), openWriter: folder },
  adapter: { read: (path) => ({ path }), openWriter: folder },
  tokenizer: { read: (path) => ({ path }), openWriter: folder },
  // A `file` may become a file or a folder, so nothing is created in advance.
  file: { read: (path) => ({ path }), openWriter: async (path) => ({ content: { path }, close: nothing }) },
};

async function nothing(): Promise<void> {}

async function* records(path: string): AsyncGenerator<DataRecord> {
  for await (const { number, value } of readJsonl(path)) yield parseRecord(value, `${path}:${number}`);
}

async function* responses(path: string): AsyncGenerator<ResponseRecord> {
  for await (const { number, value } of readJsonl(path)) yield parseResponse(value, `${path}:${number}`);
}

/** No stage computes with a history, so that it is checked only as far as it is shown. */
async function* history(path: string): AsyncGenerator<HistoryEntry> {
  for await (const { number, value } of readJsonl(path)) {
    if (!isObject(value) || typeof value.type !== 'string')
      throw new UserError({
        code: 'bad-history',
        message: `${path}:${number}: an entry of a history is an object with a \`type\``,
      });
    yield value as unknown as HistoryEntry; // decode edge: shown, and nothing more
  }
}

async function jsonlSink<Item>(path: string): Promise<OpenWriter<Sink<Item>>> {
  const writer = await JsonlWriter.create(path);
  return { content: { write: (item) => writer.write(item) }, close: () => writer.close() };
}

function fileOf<Value>(write: (path: string, value: Value) => Promise<void>) {
  return async (path: string): Promise<OpenWriter<Writable<Value>>> => ({
    content: { write: (value) => write(path, value) },
    close: nothing,
  });
}

async function folder(path: string): Promise<OpenWriter<{ readonly path: string }>> {
  await mkdir(path);
  return { content: { path }, close: nothing };
}
