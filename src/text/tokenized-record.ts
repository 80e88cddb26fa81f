import type { SegmentRole } from './records.ts';

/** A formatted record as token ids; `segments` tile the ids in order. */
export interface TokenizedRecord {
  readonly id: string;
  readonly tokens: Int32Array;
  readonly segments: readonly TokenSegment[];
}

export interface TokenSegment {
  readonly role: SegmentRole;
  /** Index after the segment's last token. */
  readonly end: number;
}

/** The content of a `tokens` port. */
export interface TokenizedRecords {
  readonly records: readonly TokenizedRecord[];
  /** Identity of the vocabulary that made the ids: equal for equal vocabularies, wherever they were loaded from. */
  readonly vocabulary: string;
  /** The id that ends a text. */
  readonly endOfText: number;
}
