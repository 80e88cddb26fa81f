import type { CacheKey } from '../key/cache-key.ts';
import type { PortContent } from '../store/digest.ts';
import type { Resolution } from '../store/resolution.ts';

/** What a pipeline's last successful run stood on and gave: enough for a colleague to tell whether theirs is the same. */
export interface Lock {
  /** Path from the lock's folder, with `/`, or an address -> content. */
  readonly sources: ReadonlyMap<string, Resolution>;
  readonly stages: ReadonlyMap<string, LockedStage>;
}

export interface LockedStage {
  readonly key: CacheKey;
  readonly outputs: Readonly<Record<string, PortContent>>;
}

/** `pipelines/alpaca.yaml` -> `pipelines/alpaca.lock.yaml`. */
export const lockPathOf = (pipelineFile: string): string =>
  `${pipelineFile.replace(/\.ya?ml$/i, '')}.lock.yaml`;
