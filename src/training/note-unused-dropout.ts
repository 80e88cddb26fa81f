import { ownDropout, statedDropout } from '../model/own-dropout.ts';
import { dropoutRates } from './loss/dropout-of-step.ts';
import type { TrainingTask } from './training-task.ts';

interface Noted extends Pick<TrainingTask, 'config' | 'onNote'> {
  readonly model: Pick<TrainingTask['model'], 'config'>;
}

/** Tells where a model's config.json asks for dropout and the training has other rates: transformers would have used them. */
export function noteUnusedDropout({ config, model, onNote }: Noted): void {
  const stated = statedDropout(model.config);
  if (config.dropout === 'model' || stated.length === 0) return;
  const { embedding, attention, residual } = dropoutRates(config, model.config);
  const own = ownDropout(model.config);
  if (own.embedding === embedding && own.attention === attention && own.residual === residual) return;
  onNote(
    `the model's config.json has ${stated.join(', ')}, which do not count here: \`dropout: model\` takes them, as transformers does`,
  );
}
