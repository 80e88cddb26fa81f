export { openSandbox } from './execute/sandbox.ts';
export { chatTemplateOf } from './format/chat-template-of.ts';
export { loadModel } from './load/load-model.ts';
export { adapterFolder, withAdapter } from './models/adapter.ts';
export { expectedMemory, type LocalModel, openLocalModel } from './models/local-model.ts';
export { readBatches } from './ports/batches-file.ts';
export { portCodecs } from './ports/port-codecs.ts';
export { type KnownPortType, readAll } from './ports/port-contents.ts';
export { stageRegistry } from './registry.ts';
