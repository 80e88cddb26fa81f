import type { FaultyRecord, Json } from '../../core/index.ts';
import type { StageReport } from './stage-definition.ts';

/** The events of a run, also printed as NDJSON with `--json`. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly run: string;
      readonly pipeline: string;
      readonly stages: readonly string[];
    }
  /** A remote source is being resolved and downloaded before the run starts, or a result that only a remote has (`team: train.model`). */
  | { readonly type: 'source-started'; readonly source: string }
  | {
      readonly type: 'source-progress';
      readonly source: string;
      /** In bytes. */
      readonly done: number;
      readonly total?: number;
    }
  /** The host is asked again after this time. */
  | {
      readonly type: 'source-waiting';
      readonly source: string;
      readonly milliseconds: number;
      readonly because: string;
    }
  | {
      readonly type: 'source-finished';
      readonly source: string;
      readonly digest: string;
      readonly revision?: string;
      readonly milliseconds: number;
    }
  | { readonly type: 'source-failed'; readonly source: string }
  /** A remote fails, or holds results that do not count; the run goes on without. */
  | {
      readonly type: 'remote-problem';
      readonly remote: string;
      readonly message: string;
      readonly help?: string;
    }
  | { readonly type: 'stage-reused'; readonly stage: string; readonly key: string }
  | {
      readonly type: 'stage-started';
      readonly stage: string;
      readonly key: string;
      readonly reason: string;
      readonly attempt: number;
    }
  | { readonly type: 'stage-report'; readonly stage: string; readonly report: StageReport }
  | {
      readonly type: 'stage-finished';
      readonly stage: string;
      readonly key: string;
      readonly milliseconds: number;
      readonly measurements: Readonly<Record<string, Json>>;
    }
  | {
      readonly type: 'stage-retried';
      readonly stage: string;
      readonly failure: Failure;
      readonly attempt: number;
    }
  | {
      readonly type: 'stage-failed';
      readonly stage: string;
      readonly failure: Failure;
      readonly logPath?: string;
    }
  | { readonly type: 'stage-skipped'; readonly stage: string; readonly because: string }
  | {
      readonly type: 'run-finished';
      readonly run: string;
      readonly outcome: 'succeeded' | 'failed' | 'interrupted';
      readonly milliseconds: number;
    };

/** Why a stage did not finish. */
export type Failure =
  | StageError
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string }
  | { readonly kind: 'timeout'; readonly milliseconds: number }
  | { readonly kind: 'killed'; readonly signal: string; readonly message: string }
  | { readonly kind: 'exited'; readonly exitCode: number; readonly message: string }
  | { readonly kind: 'missing-output'; readonly output: string }
  | { readonly kind: 'source-changed'; readonly path: string }
  | {
      readonly kind: 'input-changed';
      /** As a user calls it: "its input `records`". */
      readonly name: string;
      /** `given`: what the stage was given to read; `stored`: the store's own bytes. */
      readonly where: 'given' | 'stored';
    }
  | { readonly kind: 'storage'; readonly code: string; readonly path: string; readonly message: string }
  | { readonly kind: 'interrupted' };

/** An error that the user can fix. */
export interface StageError {
  readonly kind: 'stage-error';
  readonly code: string;
  readonly message: string;
  readonly help?: string;
  /** The first of the faulty records, if particular records are at fault. */
  readonly records?: readonly FaultyRecord[];
  /** The number of further faulty records. */
  readonly otherRecords?: number;
  /** The input port of the records, unless it is the stage's `recordsPort`. */
  readonly port?: string;
}
