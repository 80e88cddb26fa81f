import type { SourceResolvers } from '../runtime/stage/source-resolver.ts';
import { checkHubAddress } from './hub/hub-address.ts';
import { checkWebAddress } from './web/web-address.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What brings in `hf:`, `https:` and, from this machine alone, `http:` addresses. Loads nothing and looks at no network. */
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
