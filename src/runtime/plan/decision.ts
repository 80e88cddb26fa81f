import type { CacheKey } from '../key/cache-key.ts';
import type { Difference } from '../key/compare-material.ts';
import type { ActionRecord } from '../store/action-record.ts';

/** Whether a stage has to run: the answer to the one question that planning and execution both ask. */
export type Decision =
  | { readonly kind: 'reuse'; readonly key: CacheKey; readonly record: ActionRecord }
  | {
      readonly kind: 'run';
      readonly key: CacheKey;
      readonly reason: RunReason;
      /** What is left to do after what a shorter run kept, in the stage's words. */
      readonly remaining?: string;
    }
  | {
      readonly kind: 'undecided';
      /** Ids of the stages that have to end first. */
      readonly waitsFor: readonly string[];
      /** Addresses of remote sources that have not been resolved yet. It or `waitsFor` holds something. */
      readonly unresolved: readonly string[];
    };

/** A past execution, and how it differs from what is asked for. */
export interface Likeness {
  readonly comparedWith: ActionRecord;
  /** Never empty: equal keys have one record. */
  readonly differences: readonly Difference[];
}

export type RunReason =
  | {
      readonly kind: 'never-ran';
      /** How it differs from the latest stage that uses the same, where there is one much like it. */
      readonly likeness?: Likeness;
    }
  | {
      readonly kind: 'changed';
      /** Against the latest past run of the stage itself. */
      readonly likeness: Likeness;
    }
  | { readonly kind: 'forced' }
  | {
      readonly kind: 'output-lost';
      /** `port` or `port.part`. */
      readonly output: string;
      readonly state: 'missing' | 'damaged';
    }
  | { readonly kind: 'record-unreadable'; readonly path: string };
