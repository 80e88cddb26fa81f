import { isObject } from '../../core/index.ts';
import { FieldChecker } from './field-checker.ts';
import type { SelectedGroup, Selection } from './selected-tasks.ts';
import type { GroupMembership, GroupMetric } from './task.ts';
import type { YamlValue } from './yaml-value.ts';

/** Task -> the groups with figures of their own that it is in. `problems` takes what is wrong with a group. */
export function groupMemberships(
  { groups }: Selection,
  problems: string[],
): ReadonlyMap<string, readonly GroupMembership[]> {
  const memberships = new Map<string, GroupMembership[]>();
  for (const group of groups) {
    const metrics = groupMetrics(group, problems);
    if (metrics.length === 0) continue;
    for (const task of group.tasks)
      memberships.set(task, [
        ...(memberships.get(task) ?? []),
        { group: group.name, tasks: group.tasks.size, metrics },
      ]);
  }
  return memberships;
}

function groupMetrics({ fields }: SelectedGroup, problems: string[]): readonly GroupMetric[] {
  const list = fields.get('aggregate_metric_list');
  if (list === undefined || list.json === null) return [];
  const items = isObject(list.json) ? [list] : list.items;
  return items.flatMap((item) => groupMetric(item, problems));
}

function groupMetric({ fields, json, place }: YamlValue, problems: string[]): readonly GroupMetric[] {
  if (!isObject(json) || !fields.has('metric')) {
    problems.push(`${place}: an item of \`aggregate_metric_list\` needs a \`metric\``);
    return [];
  }
  const checker = new FieldChecker(fields, problems);
  const metric = checker.text('metric');
  checker.oneOf('aggregation', ['mean']);
  const filters = checker.texts('filter_list') ?? null;
  const weightBySize = checker.flag('weight_by_size') ?? true;
  for (const field of checker.left())
    checker.problem(field, `\`aggregate_metric_list\` has no field \`${field}\``);
  return metric === undefined ? [] : [{ metric, filters, weight_by_size: weightBySize }];
}
