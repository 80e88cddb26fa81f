import type { DataRecord } from '../../text/record.ts';
import type { TokenizedRecords } from '../../text/tokenized-record.ts';
import type { Batches } from '../../training/batches/example.ts';
import type { HistoryEntry } from '../../training/history-entry.ts';
import type { ResponseRecord } from './response-record.ts';
import type { Scores } from './scores.ts';

/** A file of many items, read one after the other. */
export interface Stream<Item> extends AsyncIterable<Item> {}

/** A file of many items, written one after the other. */
export interface Sink<Item> {
  readonly write: (item: Item) => Promise<void>;
}

export interface Readable<Value> {
  readonly read: () => Promise<Value>;
}

export interface Writable<Value> {
  readonly write: (value: Value) => Promise<void>;
}

/** A folder in Hugging Face's layout; who reads it parses it with limits. */
export interface Folder {
  readonly path: string;
}

/** Port type -> what a stage reads from it. A formatted record is a record with `segments`. */
export interface PortReaders {
  readonly records: Stream<DataRecord>;
  readonly tokens: Readable<TokenizedRecords>;
  readonly batches: Readable<Batches>;
  readonly model: Folder;
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
  readonly tokenizer: Folder;
  readonly history: Sink<HistoryEntry>;
  readonly responses: Sink<ResponseRecord>;
  readonly scores: Writable<Scores>;
  readonly file: Folder;
}

export type KnownPortType = keyof PortReaders;
