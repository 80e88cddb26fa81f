export { type HubPush, hubPush } from './hub/push-to-hub.ts';
export { sourceResolvers } from './source-resolvers.ts';
