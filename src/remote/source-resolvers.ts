import type { SourceResolvers } from '../runtime/index.ts';
import { checkHubAddress } from './hub/hub-address.ts';
import type { Environment } from './hub/hub-settings.ts';
import { checkWebAddress } from './web/web-address.ts';

/** Resolvers for `hf:`, `https:` and, from this machine only, `http:` addresses. Loads nothing and uses no network. */
export function sourceResolvers(environment: Environment): SourceResolvers {
  const web = {
    check: checkWebAddress,
    load: async () => (await import('./web/web-fetcher.ts')).webFetcher(),
  };
  const hub = {
    check: checkHubAddress,
    load: async () => (await import('./hub/hub-fetcher.ts')).hubFetcher(environment),
  };
  return new Map([
    ['hf', hub],
    ['https', web],
    ['http', web],
  ]);
}
