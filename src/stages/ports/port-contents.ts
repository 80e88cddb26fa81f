import type { Scores } from '../../metrics/index.ts';
import type { DataRecord, ResponseRecord, TokenizedRecords } from '../../text/index.ts';
import type { Batches, HistoryEntry } from '../../training/index.ts';

/** A file of items that are read one by one, once; `readAll` keeps them. */
export interface Stream<Item> extends AsyncIterable<Item> {}

/** A file of items that are written one by one; empty if none is. */
export interface Sink<Item> {
  readonly write: (item: Item) => Promise<void>;
}

/** A file that is read whole. */
interface Readable<Value> {
  readonly read: () => Promise<Value>;
}

/** A file that is written whole, once. */
export interface Writable<Value> {
  readonly write: (value: Value) => Promise<void>;
}

/**
 * A path, which the stage itself opens. A model, an adapter and a tokenizer are folders in Hugging Face's layouts, and
 * exist, empty, before they are written; a `file` may be a file or a folder, and the stage makes it.
 */
export interface Folder {
  readonly path: string;
}

/**
 * Port type -> what a stage reads from it. A formatted record is a record with `segments`; the row that it was made from
 * is in its `fields`.
 */
export interface PortReaders {
  readonly records: Stream<DataRecord>;
  readonly tokens: Readable<TokenizedRecords>;
  readonly batches: Readable<Batches>;
  readonly model: Folder;
  readonly adapter: Folder;
  readonly tokenizer: Folder;
  readonly history: Stream<HistoryEntry>;
  readonly responses: Stream<ResponseRecord>;
  readonly scores: Readable<Scores>;
  readonly file: Folder;
}

/** Port type -> how a stage writes to it. */
export interface PortWriters {
  readonly records: Sink<DataRecord>;
  readonly tokens: Writable<TokenizedRecords>;
  readonly batches: Writable<Batches>;
  readonly model: Folder;
  readonly adapter: Folder;
  readonly tokenizer: Folder;
  readonly history: Sink<HistoryEntry>;
  readonly responses: Sink<ResponseRecord>;
  readonly scores: Writable<Scores>;
  readonly file: Folder;
}

export type KnownPortType = keyof PortReaders;

/** All items of a stream. */
export async function readAll<Item>(stream: Stream<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
