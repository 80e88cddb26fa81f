import { compareMaterial, type Difference } from '../key/compare-material.ts';
import type { CacheKey, KeyMaterial } from '../key/key-material.ts';
import type { ActionRecord, FoundRecord } from '../store/action-records.ts';
import type { NearestRun } from './past-runs.ts';

/** What is known about a stage when it is decided. */
export type StageFacts =
  | { readonly kind: 'open'; readonly waitsFor: readonly string[]; readonly unresolved: readonly string[] }
  | {
      readonly kind: 'known';
      readonly key: CacheKey;
      readonly material: KeyMaterial;
      readonly found: FoundRecord;
      /** Looked up only if nothing usable was found. */
      readonly nearest: NearestRun | undefined;
      readonly forced: boolean;
      /** What is left to do after the checkpoints of a shorter run. */
      readonly remaining?: string | undefined;
    };

/** Another stage with more differences than this says nothing about the stage. */
const mostDifferences = 3;

/** Whether a stage has to run, and why. */
export function decide(facts: StageFacts): Decision {
  if (facts.kind === 'open') {
    const { waitsFor, unresolved } = facts;
    return { kind: 'undecided', waitsFor, unresolved };
  }
  const { key, found, remaining } = facts;
  if (facts.forced) return { kind: 'run', key, reason: { kind: 'forced' } };
  const run = (reason: RunReason): Decision => ({
    kind: 'run',
    key,
    reason,
    ...(remaining === undefined ? {} : { remaining }),
  });
  switch (found.kind) {
    case 'usable':
      return { kind: 'reuse', key, record: found.record };
    case 'output-lost':
      return run({ kind: 'output-lost', output: found.output, state: found.state });
    case 'unreadable':
      return run({ kind: 'record-unreadable', path: found.path });
    case 'absent':
      return run(reasonOf(facts));
    default:
      return found satisfies never;
  }
}

function reasonOf({ nearest, material }: Extract<StageFacts, { kind: 'known' }>): RunReason {
  if (nearest === undefined) return { kind: 'never-ran' };
  const comparedWith = nearest.record;
  const differences = compareMaterial(comparedWith.material, material);
  if (differences.length === 0) return { kind: 'never-ran' };
  const match = { comparedWith, differences };
  if (nearest.isItself) return { kind: 'changed', match };
  return differences.length <= mostDifferences ? { kind: 'never-ran', match } : { kind: 'never-ran' };
}

/** Whether a stage has to run. Planning and execution both ask this. */
export type Decision =
  | { readonly kind: 'reuse'; readonly key: CacheKey; readonly record: ActionRecord }
  | {
      readonly kind: 'run';
      readonly key: CacheKey;
      readonly reason: RunReason;
      /** What is left to do after the checkpoints of a shorter run, in the stage's words. */
      readonly remaining?: string;
    }
  | {
      readonly kind: 'undecided';
      /** Ids of the stages that have to end first. */
      readonly waitsFor: readonly string[];
      /** Addresses of remote sources that are not resolved yet. This or `waitsFor` is not empty. */
      readonly unresolved: readonly string[];
    };

/** A past execution and its differences from the requested one. */
export interface NearestMatch {
  readonly comparedWith: ActionRecord;
  /** Never empty: equal keys have one record. */
  readonly differences: readonly Difference[];
}

export type RunReason =
  | {
      readonly kind: 'never-ran';
      /** The latest execution of a stage with the same `uses`, if it is similar. */
      readonly match?: NearestMatch;
    }
  | {
      readonly kind: 'changed';
      /** The latest execution of the stage itself. */
      readonly match: NearestMatch;
    }
  | { readonly kind: 'forced' }
  | {
      readonly kind: 'output-lost';
      /** `port` or `port.part`. */
      readonly output: string;
      readonly state: 'missing' | 'damaged';
    }
  | { readonly kind: 'record-unreadable'; readonly path: string };
