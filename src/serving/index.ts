export type { RequestLine } from './api/metrics.ts';
export type { ApiLimits } from './api/open-requests.ts';
export type { ModelToServe } from './model/protocol.ts';
export { serveModel } from './model/serve-model.ts';
export { type RunningModel, type ServingOptions, startServing } from './start-serving.ts';
