import type { CacheKey } from '../key/cache-key.ts';
import { compareMaterial } from '../key/compare-material.ts';
import type { KeyMaterial } from '../key/key-material.ts';
import type { FoundRecord } from '../store/action-records.ts';
import type { Decision, RunReason } from './decision.ts';
import type { NearestRun } from './past-runs.ts';

/** What is known of a stage at the moment it is asked about. */
export type StageFacts =
  | { readonly kind: 'open'; readonly waitsFor: readonly string[]; readonly unresolved: readonly string[] }
  | {
      readonly kind: 'known';
      readonly key: CacheKey;
      readonly material: KeyMaterial;
      readonly found: FoundRecord;
      /** The nearest past run of the stage; looked up only where nothing usable was found. */
      readonly nearest: NearestRun | undefined;
      readonly forced: boolean;
      /** What is left to do after what a shorter run kept. */
      readonly remaining?: string | undefined;
    };

/** How many differences another stage may have and still say something about this one. */
const mostOfRelative = 3;

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
  const likeness = { comparedWith, differences };
  if (nearest.isItself) return { kind: 'changed', likeness };
  return differences.length <= mostOfRelative ? { kind: 'never-ran', likeness } : { kind: 'never-ran' };
}
