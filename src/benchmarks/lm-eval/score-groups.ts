import { errorField, type Score } from '../../metrics/index.ts';
import type { Scoring } from './row.ts';
import type { GroupMembership, GroupMetric } from './task.ts';

export interface TaskFigures {
  readonly task: string;
  readonly scoring: Scoring;
  readonly figures: readonly Score[];
}

/** The figures of groups over those of their tasks, as lm-evaluation-harness combines them. */
export function scoreGroups(tasks: readonly TaskFigures[]): readonly Score[] {
  const groups = new Map<string, { group: GroupMembership; tasks: TaskFigures[] }>();
  for (const one of tasks)
    for (const group of one.scoring.groups) {
      const known = groups.get(group.group) ?? { group, tasks: [] };
      known.tasks.push(one);
      groups.set(group.group, known);
    }
  return [...groups.values()].flatMap(({ group, tasks: own }) =>
    group.metrics.flatMap((metric) =>
      filtersOf(metric, own).flatMap((filter) => groupScore(own, { group, metric, filter })),
    ),
  );
}

/** The named filters, or those with which the tasks score the metric. */
function filtersOf({ metric, filters }: GroupMetric, tasks: readonly TaskFigures[]): readonly string[] {
  if (filters !== null) return filters;
  const found = tasks.flatMap(({ scoring }) =>
    scoring.metrics.some((one) => one.metric === metric) ? scoring.filters.map(({ name }) => name) : [],
  );
  return [...new Set(found)].sort();
}

function groupScore(
  tasks: readonly TaskFigures[],
  {
    group: { group, tasks: all },
    metric: { metric, weight_by_size: isWeighted },
    filter,
  }: { readonly group: GroupMembership; readonly metric: GroupMetric; readonly filter: string },
): readonly Score[] {
  const name = filter === 'none' ? metric : `${metric},${filter}`;
  const scored = tasks.flatMap(({ figures }) => {
    const figure = figures.find((one) => one.metric === name);
    // A task counts by its questions, whatever a single figure rests on.
    return figure === undefined ? [] : [{ figure, size: Math.max(...figures.map(({ count }) => count)) }];
  });
  const [first] = scored;
  if (first === undefined) return [];
  const weights = scored.map(({ size }) => (isWeighted ? size : 1));
  const total = sum(weights);
  const value = sum(scored.map(({ figure }, index) => figure.value * (weights[index] ?? 0))) / total;
  const errors = scored.flatMap(({ figure }) => figure.standard_error ?? []);
  const sizes = scored.map(({ size }) => size);
  const error = errors.length < scored.length ? undefined : combinedError(errors, { sizes, isWeighted });
  return [
    {
      metric: name,
      of: group,
      value,
      higher_is_better: first.figure.higher_is_better,
      count: sum(sizes),
      ...errorField(error),
      ...(scored.length === all ? {} : { remark: `${scored.length} of the group's ${all} tasks` }),
    },
  ];
}

/** The error of a pooled sample, or of a mean of independent means. */
function combinedError(
  errors: readonly number[],
  { sizes, isWeighted }: { readonly sizes: readonly number[]; readonly isWeighted: boolean },
): number {
  if (!isWeighted) return Math.sqrt(sum(errors.map((error) => error ** 2))) / errors.length;
  const total = sum(sizes);
  const squares = errors.map((error, index) => {
    const size = sizes[index] ?? 0;
    return (size - 1) * error ** 2 * size;
  });
  return Math.sqrt(sum(squares) / (total - sizes.length) / total);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
