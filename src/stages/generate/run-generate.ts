import { UserError } from '../../core/index.ts';
import type { GenerateConfig } from '../../generated/generate-config.ts';
import { checkGenerationMemory, quantizeWeights } from '../../model/index.ts';
import type { StageAction } from '../../runtime/index.ts';
import { implementStage } from '../implement-stage.ts';
import { adapterDigest, withAdapter } from '../models/adapter.ts';
import { endpointModel } from '../models/endpoint-model.ts';
import { expectedMemory, type LocalModel, openLocalModel } from '../models/local-model.ts';
import type { Once } from '../ports/open-ports.ts';
import { choicesMode } from './choice-log-likelihoods.ts';
import { type Generated, type Generation, generate } from './generate.ts';
import { generationShape } from './generation-shape.ts';
import { responseLogLikelihood, rollingLogLikelihood } from './log-likelihood.ts';
import { type Prompt, readPrompts } from './prompt.ts';
import { generateByTask } from './task-mode.ts';
import { localClient, textGeneration } from './text-generation.ts';

/** Answers each prompt or scores its response, with the model in the folder or the one that the folder names at an endpoint. */
export const { run } = implementStage<GenerateConfig>()({
  inputs: { model: 'model', prompts: 'records', adapter: 'adapter?' },
  outputs: { responses: 'responses' },
  async run({ config, inputs, outputs, statePath, memoPath, share, resources, host, once }) {
    const folder = inputs.model.path;
    const prompts = await readPrompts(inputs.prompts, config);
    noteUnheededTasks(prompts, { config, host });
    const generation = { config, prompts, share, statePath, memoPath, host };
    const served = await endpointModel(folder);
    const { responses, measurements } =
      served === undefined
        ? await generateLocally(generation, { folder, adapter: inputs.adapter?.path, resources, once })
        : await generateAtEndpoint(generation, { model: served, adapter: inputs.adapter?.path });
    for (const placed of responses) {
      const { position: _position, ...response } = placed;
      await outputs.responses.write(share === undefined ? response : placed);
    }
    return measurements;
  },
});

/** Another mode than `task` asks the same questions, but not as their tasks want them answered. */
function noteUnheededTasks(
  prompts: readonly Prompt[],
  { config, host }: Pick<Generation, 'config' | 'host'>,
): void {
  const count = prompts.filter(({ generation }) => generation !== undefined).length;
  if (count === 0 || config.mode === 'task') return;
  host.report({
    type: 'note',
    level: 'warning',
    message: `${count} of ${prompts.length} records are of tasks that say how they are answered, which \`mode: ${config.mode}\` does not heed; \`mode: task\` does`,
  });
}

async function generateLocally(
  generation: Generation,
  {
    folder,
    adapter,
    resources,
    once,
  }: {
    readonly folder: string;
    readonly adapter: string | undefined;
    readonly resources: StageAction['resources'];
    readonly once: Once;
  },
): Promise<Generated> {
  const { config, prompts, host } = generation;
  const expected = await expectedMemory(folder, { resources, host }, (model, { limit, kept }) =>
    checkGenerationMemory({ model, limit, kept, ...generationShape(prompts, config) }),
  );
  const base = await once('base', async () => {
    const local = await openLocalModel(folder, { resources, host, weights: config.precision });
    const weights = quantizeWeights(local.model, config.precision);
    const dispose = () => {
      weights[Symbol.dispose]();
      local[Symbol.dispose]();
    };
    return { ...local, dispose };
  });
  using local = await withAdapter(base, { model: folder, adapter });
  const { tensorBackend } = base;
  // The batch size is part of a computation's shape, and floats may depend on the shape. Parts share a cache, and each has
  // its own adapter.
  const own = adapter === undefined ? {} : { adapter: await adapterDigest(adapter) };
  const fingerprint = JSON.stringify({ ...tensorBackend, batch_size: config.batch_size, ...own });
  const { responses, measurements } = await generateInMode(generation, { local, fingerprint });
  const peak_memory = process.resourceUsage().maxRSS * 1024;
  return { responses, measurements: { ...tensorBackend, ...measurements, ...expected, peak_memory } };
}

function generateInMode(
  generation: Generation,
  { local, fingerprint }: { readonly local: LocalModel; readonly fingerprint: string },
): Promise<Generated> {
  const { config, host } = generation;
  switch (config.mode) {
    case 'text': {
      const client = localClient(local, { config, signal: host.signal });
      return generate(generation, { fingerprint, mode: textGeneration(client, config) });
    }
    case 'score':
      return generate(generation, { fingerprint, mode: responseLogLikelihood(local, generation) });
    case 'choices':
      return generate(generation, { fingerprint, mode: choicesMode(local, generation) });
    case 'rolling':
      return generate(generation, { fingerprint, mode: rollingLogLikelihood(local, generation) });
    case 'task':
      return generateByTask(generation, (own) => generateInMode(own, { local, fingerprint }));
    default:
      return config.mode satisfies never;
  }
}

/** `model` is the model's name at the endpoint. */
async function generateAtEndpoint(
  generation: Generation,
  { model, adapter }: { readonly model: string; readonly adapter: string | undefined },
): Promise<Generated> {
  const { config, host } = generation;
  if (adapter !== undefined)
    throw new UserError({
      code: 'endpoint-adapter',
      message: `the model \`${model}\` is behind an endpoint, which takes no adapter from here`,
      help: 'use its base as a model folder, or leave out the input `adapter`',
    });
  if (config.mode === 'task')
    return generateByTask(generation, (own) => generateAtEndpoint(own, { model, adapter }));
  if (config.mode !== 'text')
    throw new UserError({
      code: 'endpoint-score',
      message: `the model \`${model}\` is behind an endpoint, which cannot score given responses`,
      help: 'score with a model folder, or let the endpoint answer with `mode: text`',
    });
  for (const [field, isSet] of Object.entries({
    precision: config.precision !== 'float32',
    bos: config.bos !== 'auto',
    stop_at_end: !config.stop_at_end,
  }))
    if (isSet)
      throw new UserError({
        code: `endpoint-${field.replaceAll('_', '-')}`,
        message: `the model \`${model}\` is behind an endpoint, which decides \`${field}\` itself`,
        help: `leave out \`${field}\``,
      });
  const { endpointClient } = await import('./endpoint/endpoint-client.ts');
  const onNote = (message: string) => host.report({ type: 'note', level: 'info', message });
  const client = endpointClient(model, { config, signal: host.signal, onNote });
  return generate(generation, { fingerprint: 'endpoint', mode: textGeneration(client, config) });
}
