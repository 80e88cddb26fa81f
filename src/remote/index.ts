export { sourceResolvers } from './source-resolvers.ts';
