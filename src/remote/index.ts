export { type HubPush, hubPush } from './hub/push-to-hub.ts';
export { sourceResolvers } from './source-resolvers.ts';
export { type OpenRemote, openRemote } from './stores/open-remote.ts';
export { parseRemoteAddress, type RemoteAddress } from './stores/remote-address.ts';
