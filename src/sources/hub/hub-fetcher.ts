import type { FetchRequest, SourceFetcher, SourceRequest } from '../../runtime/stage/source-resolver.ts';
import type { Environment } from '../source-resolvers.ts';
import { fetchRepository } from './fetch-repository.ts';
import { type HubAddress, parseHubAddress } from './hub-address.ts';
import { cachedCommit } from './hub-cache.ts';
import { resolveCommit } from './hub-client.ts';
import { hubError, offlineError } from './hub-error.ts';
import { type HubSettings, hubSettings } from './hub-settings.ts';

/** Brings in models and datasets of the Hugging Face hub; a revision is a commit. */
export function hubFetcher(environment: Environment): SourceFetcher {
  const settings = hubSettings(environment);
  return {
    resolve: (request) => told(request, { settings, act: (address) => commitOf(address, request, settings) }),
    fetch: (request: FetchRequest) =>
      told(request, { settings, act: (address) => fetchRepository(address, { ...request, settings }) }),
  };
}

async function commitOf(
  address: HubAddress,
  { address: text, signal }: SourceRequest,
  settings: HubSettings,
): Promise<string> {
  if (!settings.offline) return resolveCommit(address, { settings, signal });
  const commit = await cachedCommit(address, settings);
  if (commit === undefined) throw offlineError(text);
  return commit;
}

async function told<Value>(
  request: SourceRequest,
  {
    settings,
    act,
  }: { readonly settings: HubSettings; readonly act: (address: HubAddress) => Promise<Value> },
): Promise<Value> {
  const text = request.address;
  const address = parseHubAddress(text);
  if (address === undefined) throw new Error(`${text} was not checked`);
  try {
    return await act(address);
  } catch (error) {
    throw request.signal.aborted ? error : hubError(error, { text, address, settings });
  }
}
