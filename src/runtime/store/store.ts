import { StatCache } from './stat-cache.ts';

/** Where artifacts, records and runs are kept. Its folder comes into being with the first thing that is written. */
export interface Store {
  /** Absolute. */
  readonly root: string;
  readonly statCache: StatCache;
}

/** Opens the store at an absolute path; writes nothing. */
export function openStore(root: string): Store {
  return { root, statCache: StatCache.open(root) };
}
