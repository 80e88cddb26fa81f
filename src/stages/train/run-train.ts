import type { TrainConfig } from '../../generated/train-config.ts';
import { saveLanguageModel } from '../../model/language-model.ts';
import type { StageHost } from '../../runtime/stage/stage-definition.ts';
import { copyTokenizer } from '../../text/tokenizer/open-tokenizer.ts';
import { train } from '../../training/train.ts';
import type { TrainingProgress } from '../../training/training-task.ts';
import { implementStage } from '../implement-stage.ts';
import { openLocalModel } from '../models/open-local-model.ts';

/** Trains the model that comes in and writes it out in the same layout, with the tokenizer it came with. */
export const { run } = implementStage<TrainConfig>()({
  inputs: { model: 'model', train: 'batches', validation: 'batches?' },
  outputs: { model: 'model', history: 'history' },
  async run({ config, inputs, outputs, statePath, checkpointPath, resources, host }) {
    const begun = performance.now();
    using local = await openLocalModel(inputs.model.path, resources);
    const { model, tokenizer, tensorBackend } = local;
    const { steps, tokensPerSecond } = await train({
      model,
      tokenizer,
      batches: await inputs.train.read(),
      validation: await inputs.validation?.read(),
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
    await saveLanguageModel(outputs.model.path, model);
    await copyTokenizer({ from: inputs.model.path, to: outputs.model.path });
    return {
      ...tensorBackend,
      steps,
      tokens_per_second: Math.round(tokensPerSecond),
      seconds: Math.round(performance.now() - begun) / 1000,
      peak_memory: process.resourceUsage().maxRSS * 1024,
    };
  },
});

function reportProgress(progress: TrainingProgress, host: StageHost): void {
  const { step, totalSteps, loss, learningRate, tokensPerSecond } = progress;
  host.report({
    type: 'progress',
    unit: 'step',
    done: step,
    total: totalSteps,
    figures: { loss, learning_rate: learningRate, tokens_per_second: tokensPerSecond },
  });
}
