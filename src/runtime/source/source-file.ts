/** A text file that was read, with what it takes to point into it. */
export interface SourceFile {
  /** Absolute. */
  readonly path: string;
  /** As a person would type it: relative to the working directory where that is shorter. */
  readonly displayPath: string;
  readonly text: string;
}
