import { didYouMean } from '../../core/index.ts';
import type { TrainConfig } from '../../generated/train-config.ts';
import type { ConfigProblem, StagePorts } from '../../runtime/index.ts';
import { validationFigure, validationFigures } from '../../training/index.ts';

/** A metric that nothing measures, or that nothing watches. */
export function bestMetricProblems(config: TrainConfig): readonly ConfigProblem[] {
  const { metric_for_best_model: name, keep, early_stop, objective } = config;
  if (name === 'validation_loss') return [];
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
  const figures = validationFigures(objective);
  if (figures.has(validationFigure(name).figure) || metrics.includes(name)) return [];
  const known = [...[...figures.keys()].flatMap((figure) => [figure, `${figure}/NAME`]), ...metrics];
  return [
    {
      ...{ pointer, code: 'unknown-metric', message: `nothing measures \`${name}\`` },
      help: `${didYouMean(name, known) ?? `it can be ${known.map((one) => `\`${one}\``).join(', ')}`}; metrics of answers come from \`evaluate: { generation: { metrics: [...] } }\``,
    },
  ];
}

/** One validation set, or several by their names; one that is watched must be there. */
export function validationPorts({
  keep,
  early_stop,
  metric_for_best_model: metric,
  objective,
}: Pick<TrainConfig, 'keep' | 'early_stop' | 'metric_for_best_model' | 'objective'>): StagePorts['inputs'] {
  const port = { accepts: ['batches'], required: false, parts: 'one' } as const;
  const isWatched = keep === 'best' || early_stop !== undefined;
  const { figure, set } = validationFigure(metric);
  if (!isWatched || !validationFigures(objective).has(figure))
    return { validation: { ...port, named: true } };
  if (set !== undefined)
    return {
      validation: { ...port, named: true },
      [`validation.${set}`]: { ...port, required: true },
    };
  const help = `or, of several sets, name the one to watch: \`metric_for_best_model: ${figure}/NAME\``;
  return { validation: { ...port, required: true, help } };
}
