import type { Json } from '../json.ts';

/** One row of data. Everything beside the id is the user's. */
export interface DataRecord {
  /** Given in the data, or the content's hash with an ordinal among equal rows. */
  readonly id: string;
  readonly [field: string]: Json;
}
