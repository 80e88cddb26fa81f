import type { Json, JsonObject } from '../../json.ts';
import type { Failure } from '../event/failure.ts';
import type { CacheKey } from '../key/cache-key.ts';
import type { Fingerprint } from './action-record.ts';
import type { PortContent } from './digest.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** What a run did, and why: `runs/<time>-<id>.json`, written when it starts and again when it ends. */
export interface RunRecord {
  readonly format: 1;
  readonly run: string;
  readonly pipeline: string;
  /** The pipeline file from the store's parent folder, or its bare name where it is not below that. */
  readonly file: string;
  readonly params: JsonObject;
  readonly overridden: boolean;
  /** Empty: the whole pipeline. */
  readonly targets: readonly string[];
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly milliseconds: number;
  /** `running` until the run has ended, `killed` where its process is gone without having ended it. */
  readonly outcome: RunOutcome | 'running' | 'killed';
  readonly process: ProcessIdentity;
  readonly fingerprint: Fingerprint;
  readonly stages: Readonly<Record<string, StageOutcome>>;
}

export type RunOutcome = 'succeeded' | 'failed' | 'interrupted';

/** How a run ended for one of its stages. */
export type StageOutcome =
  | {
      readonly decision: 'reused';
      readonly uses: string;
      readonly key: CacheKey;
      readonly outputs: Readonly<Record<string, PortContent>>;
    }
  | {
      readonly decision: 'ran';
      readonly uses: string;
      readonly key: CacheKey;
      readonly reason: string;
      readonly outputs: Readonly<Record<string, PortContent>>;
      readonly milliseconds: number;
      readonly attempts: number;
      readonly measurements: Readonly<Record<string, Json>>;
    }
  | {
      readonly decision: 'failed';
      readonly uses: string;
      readonly key: CacheKey;
      readonly reason: string;
      readonly failure: Failure;
      readonly milliseconds: number;
      readonly attempts: number;
      readonly logPath?: string;
    }
  | { readonly decision: 'skipped'; readonly uses: string; readonly because: string };
