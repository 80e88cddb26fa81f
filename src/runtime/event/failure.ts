import type { FaultyRecord } from '../../user-error.ts';

/** Why a stage did not finish. */
export type Failure =
  | StageError
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string }
  | { readonly kind: 'timeout'; readonly milliseconds: number }
  | { readonly kind: 'killed'; readonly signal: string; readonly message: string }
  | { readonly kind: 'exited'; readonly exitCode: number; readonly message: string }
  | { readonly kind: 'missing-output'; readonly output: string }
  | { readonly kind: 'source-changed'; readonly path: string }
  | { readonly kind: 'storage'; readonly code: string; readonly path: string; readonly message: string }
  | { readonly kind: 'interrupted' };

/** What the user can mend. */
export interface StageError {
  readonly kind: 'stage-error';
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  /** The first of the records at fault, where it is particular ones. */
  readonly records?: readonly FaultyRecord[];
  /** How many more there are. */
  readonly otherRecords?: number;
  /** The input port at which the records came in, where it is not the one whose records the stage passes on. */
  readonly port?: string;
}
