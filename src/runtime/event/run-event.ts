import type { Json } from '../../json.ts';
import type { StageReport } from '../stage/stage-definition.ts';
import type { Failure } from './failure.ts';

/** Everything that a run says while it goes on. The same union goes over the wire as NDJSON. */
export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly run: string;
      readonly pipeline: string;
      readonly stages: readonly string[];
    }
  /** A remote source is being resolved and downloaded; this comes before the run's start. */
  | { readonly type: 'source-started'; readonly source: string }
  | {
      readonly type: 'source-progress';
      readonly source: string;
      /** In bytes. */
      readonly done: number;
      readonly total?: number;
    }
  | {
      readonly type: 'source-finished';
      readonly source: string;
      readonly digest: string;
      readonly revision?: string;
      readonly milliseconds: number;
    }
  | { readonly type: 'source-failed'; readonly source: string }
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
