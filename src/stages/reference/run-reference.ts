import { UserError } from '../../core/index.ts';
import type { ReferenceConfig } from '../../generated/reference-config.ts';
import { checkGenerationMemory } from '../../model/index.ts';
import { checkBatches, withReference } from '../../training/index.ts';
import { implementStage } from '../implement-stage.ts';
import { expectedMemory, openLocalModel, resourcesFor } from '../models/local-model.ts';
import { referenceShape } from './reference-shape.ts';

export const { run } = implementStage<ReferenceConfig>()({
  inputs: { model: 'model', batches: 'batches' },
  outputs: { batches: 'batches' },
  async run({ config, inputs, outputs, resources, host }) {
    const started = performance.now();
    const batches = await inputs.batches.read();
    if (batches.preference === undefined) throw noPreferences();
    const { precision } = config;
    const chosen = await resourcesFor(precision, resources);
    const expected = await expectedMemory(
      inputs.model.path,
      { resources: chosen, host },
      (model, { limit }) => checkGenerationMemory({ model, limit, ...referenceShape(batches, config) }),
    );
    using local = await openLocalModel(inputs.model.path, { resources: chosen, host, precision });
    const { model, tensorBackend } = local;
    checkBatches(local, batches, 'batches');
    const completed = await withReference(batches, {
      ...{ model, precision },
      layout: {
        endOfText: batches.endOfText,
        multipleOf: 16,
        maxLength: model.config.contextLength,
        microBatchSize: config.batch_size,
        paddingFree: true,
      },
      signal: host.signal,
      onProgress: (done, total) => host.report({ type: 'progress', unit: 'record', done, total }),
    });
    await outputs.batches.write(completed);
    return {
      ...tensorBackend,
      ...(precision !== 'float32' && { precision }),
      seconds: Math.round(performance.now() - started) / 1000,
      ...expected,
      peak_memory: process.resourceUsage().maxRSS * 1024,
    };
  },
});

const noPreferences = (): UserError =>
  new UserError({
    code: 'no-preferences',
    message: 'the batches hold examples to learn, which are compared with no reference',
    help: 'set `preference: paired` or `preference: unpaired` in format',
    port: 'batches',
  });
