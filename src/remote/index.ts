export { type HubPush, hubPush, type Pushed } from './hub/push-to-hub.ts';
export { sourceResolvers } from './source-resolvers.ts';
export { openRemote } from './stores/open-remote.ts';
export { parseRemoteAddress, type RemoteAddress, remoteAddressProblem } from './stores/remote-address.ts';
export type { OpenRemote } from './stores/remote-host.ts';
