import type { CacheKey } from '../key/cache-key.ts';
import type { Digest, PortContent } from '../store/digest.ts';

/** What a pipeline's last successful run stood on and gave: enough for a colleague to tell whether theirs is the same. */
export interface Lock {
  /** Path from the lock's folder, with `/` -> content. */
  readonly sources: ReadonlyMap<string, Digest>;
  readonly stages: ReadonlyMap<string, LockedStage>;
}

export interface LockedStage {
  readonly key: CacheKey;
  readonly outputs: Readonly<Record<string, PortContent>>;
}

/** `pipelines/alpaca.yaml` -> `pipelines/alpaca.lock.yaml`. */
export const lockPathOf = (pipelineFile: string): string =>
  `${pipelineFile.replace(/\.ya?ml$/i, '')}.lock.yaml`;
