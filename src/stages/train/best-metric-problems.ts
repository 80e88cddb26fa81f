import { didYouMean } from '../../core/index.ts';
import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem } from '../../runtime/index.ts';

/** The loss of the validation set, and with `/NAME` that of one of several. */
export const validationLoss = 'validation_loss';

/** A metric that nothing measures, or that nothing watches. */
export function bestMetricProblems(config: TrainConfig): readonly ConfigProblem[] {
  const { metric_for_best_model: name, keep, early_stop } = config;
  if (name === validationLoss) return [];
  const pointer = '/metric_for_best_model';
  if (keep !== 'best' && early_stop === undefined)
    return [
      {
        ...{ pointer, code: 'unused-field' },
        message: '`metric_for_best_model` has no effect: nothing watches it',
        help: 'set `keep: best` or `early_stop`, or remove it',
      },
    ];
  const metrics: readonly string[] = config.evaluate.generation?.metrics ?? [];
  if (name.startsWith(`${validationLoss}/`) || metrics.includes(name)) return [];
  const known = [validationLoss, `${validationLoss}/NAME`, ...metrics];
  return [
    {
      ...{ pointer, code: 'unknown-metric', message: `nothing measures \`${name}\`` },
      help: `${didYouMean(name, known) ?? `it can be ${known.map((one) => `\`${one}\``).join(', ')}`}; metrics of answers come from \`evaluate: { generation: { metrics: [...] } }\``,
    },
  ];
}
