import { counted, formatDuration } from '../../core/index.ts';
import type { TrainConfig } from '../../generated/train-config.ts';
import {
  addEndTokens,
  copyAuxiliaryFiles,
  copyNewTokens,
  loadAdapter,
  readAdapterSettings,
} from '../../model/index.ts';
import type { StageHost } from '../../runtime/index.ts';
import { copyTokenizer } from '../../text/index.ts';
import {
  type Batches,
  checkObjective,
  checkTrainingMemory,
  type TrainingProgress,
  type TrainingSummary,
  train,
  tuneModel,
} from '../../training/index.ts';
import { implementStage } from '../implement-stage.ts';
import { adapterFolder, refuseMerged } from '../models/adapter.ts';
import { expectedMemory, openLocalModel, resourcesFor } from '../models/local-model.ts';
import { answerScoring } from './answer-scoring.ts';
import { trainableTokenCount, trainableTokens } from './trainable-tokens.ts';

/** Trains the input model and writes it in the same layout, with the input's tokenizer. */
export const { run } = implementStage<TrainConfig>()({
  inputs: {
    ...{ model: 'model', train: 'batches', validation: 'batches?', 'validation.*': 'batches' },
    ...{ adapter: 'adapter?', prompts: 'records?' },
  },
  outputs: { model: 'model', history: 'history' },
  async run({ config, inputs, outputs, statePath, checkpointPath, resources: given, host }) {
    const started = performance.now();
    const batches = await inputs.train.read();
    checkObjective({ config, batches }); // before the model is loaded
    const { precision } = config;
    const resources = await resourcesFor(precision, given);
    const adapter = inputs.adapter ? await adapterFolder(inputs.adapter.path) : undefined;
    if (adapter !== undefined) await refuseMerged({ model: inputs.model.path, adapter });
    const expected = await expectedMemory(inputs.model.path, { resources, host }, async (model, bounds) => {
      const tokens = await trainableTokenCount(config, inputs.model.path);
      const settings = adapter === undefined ? undefined : await readAdapterSettings(adapter, model);
      const { kept } = bounds;
      return checkTrainingMemory({ model, config, batches, adapter: settings, tokens, kept }, bounds);
    });
    using local = await openLocalModel(inputs.model.path, {
      ...{ resources, host },
      ...{ basePrecision: config.base_precision, precision },
    });
    const { tokenizer, tensorBackend } = local;
    const { answerEnds } = batches;
    using tuned = tuneModel(local.model, {
      config,
      seed: config.seed ?? batches.recipe.seed,
      adapter: adapter === undefined ? undefined : await loadAdapter(local.model, adapter),
      tokens: await trainableTokens(config, { tokenizer, folder: inputs.model.path }),
    });
    const { generation } = config.evaluate;
    const answers =
      generation && inputs.prompts && (await answerScoring(generation, { records: inputs.prompts, local }));
    const validationSets = new Map<string, Batches>();
    for (const [name, set] of inputs['validation.*']) validationSets.set(name, await set.read());
    const { steps, tokensPerSecond, answering } = await train({
      model: tuned.model,
      tokenizer,
      batches,
      endTokens: [...local.endTokens, ...answerEnds],
      validation: await inputs.validation?.read(),
      ...(validationSets.size > 0 && { validationSets }),
      answers,
      config,
      statePath,
      checkpointPath,
      fingerprint: JSON.stringify(tensorBackend),
      signal: host.signal,
      onEntry: (entry) => outputs.history.write(entry),
      onNote: (message) => host.report({ type: 'note', level: 'info', message }),
      onProgress: (progress) => reportProgress(progress, host),
      clock: () => performance.now(),
    });
    if (answering) noteAnswering(answering, { started, host });
    await tuned.save(outputs.model.path);
    await copyTokenizer({ from: inputs.model.path, to: outputs.model.path });
    await copyAuxiliaryFiles({ from: inputs.model.path, to: outputs.model.path });
    await copyNewTokens({ from: inputs.model.path, to: outputs.model.path });
    await addEndTokens(outputs.model.path, [tokenizer.endOfText, ...answerEnds]);
    return {
      ...tensorBackend,
      ...(precision !== 'float32' && { precision }),
      steps,
      tokens_per_second: Math.round(tokensPerSecond),
      ...(answering && {
        answers: answering.answers,
        answer_tokens: answering.tokens,
        answer_seconds: Math.round(answering.milliseconds) / 1000,
      }),
      seconds: Math.round(performance.now() - started) / 1000,
      ...expected,
      peak_memory: process.resourceUsage().maxRSS * 1024,
    };
  },
});

/** What scoring answers cost, so that its settings can be weighed. */
function noteAnswering(
  { times, answers, milliseconds }: NonNullable<TrainingSummary['answering']>,
  { started, host }: { readonly started: number; readonly host: StageHost },
): void {
  const share = Math.round((100 * milliseconds) / (performance.now() - started));
  const message = `answering ${counted(answers, 'prompt')} in ${counted(times, 'evaluation')} took ${formatDuration(milliseconds)}, ${share} % of the training`;
  host.report({ type: 'note', level: 'info', message });
}

function reportProgress(progress: TrainingProgress, host: StageHost): void {
  const { step, totalSteps, loss, figures, evaluated, learningRate, tokensPerSecond } = progress;
  const { reference, evaluating, answering } = progress;
  host.report({
    ...{ type: 'progress', unit: 'step', done: step, total: totalSteps },
    // In the order in which they matter: a narrow terminal shows the first alone.
    figures: {
      ...(loss !== undefined && { loss }),
      ...(figures?.rewards_accuracies !== undefined && { rewards_accuracies: figures.rewards_accuracies }),
      ...(figures?.rewards_margins !== undefined && { rewards_margins: figures.rewards_margins }),
      ...evaluated,
      ...(tokensPerSecond !== undefined && { tokens_per_second: tokensPerSecond }),
      ...(learningRate !== undefined && { learning_rate: learningRate }),
    },
    ...(reference && { phase: { name: 'reference', ...reference } }),
    ...(evaluating && { phase: { name: 'evaluating', ...evaluating } }),
    ...(answering && { phase: { name: 'answering', ...answering } }),
  });
}
