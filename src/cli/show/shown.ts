import type { Tokenizer } from '../../text/tokenizer/tokenizer.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** One artifact to look at, and which of its items. */
export interface ShowSource {
  /** Absolute path of the file or folder that holds it. */
  readonly path: string;
  readonly limit: number | undefined;
  readonly offset: number;
  /** Counted from 1. */
  readonly epoch: number;
  /** Counted from 1. */
  readonly batch: number;
  /** The tokenizer with this vocabulary, where the pipeline still knows it. */
  readonly tokenizer: (vocabulary: string) => Promise<Tokenizer | undefined>;
}

/** An artifact made readable: for programs and for people. */
export interface Shown {
  readonly json: unknown;
  readonly text: (terminal: Terminal) => string;
}
