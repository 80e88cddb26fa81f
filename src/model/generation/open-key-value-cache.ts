import { storesKeysAndValues } from '../../tensor/index.ts';
import type { ModelSizes } from '../family.ts';
import { BackendCache } from './backend-cache.ts';
import { HostCache } from './host-cache.ts';
import type { CacheSizes, KeyValueCache } from './key-value-cache.ts';

/** On a backend with its own memory the cache is there, so that a decode step moves none of it; else on the host. */
export const keyValueCache = (model: ModelSizes, sizes: CacheSizes): KeyValueCache =>
  storesKeysAndValues(model) ? new BackendCache(model, sizes) : new HostCache(model, sizes);
