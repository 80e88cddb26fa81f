import { didYouMean, isObject, UserError } from '../../core/index.ts';
import type { TaskEntry, TaskFields, TaskIndex } from './task-index.ts';
import type { YamlValue } from './yaml-value.ts';

/** A task to run, with its fields after those of the groups that lead to it. */
export interface SelectedTask {
  readonly name: string;
  readonly fields: TaskFields;
}

/** A group that leads to at least one selected task. */
export interface SelectedGroup {
  readonly name: string;
  readonly fields: TaskFields;
  /** The names of its tasks, and of those of the groups in it. */
  readonly tasks: ReadonlySet<string>;
}

export interface Selection {
  readonly tasks: readonly SelectedTask[];
  readonly groups: readonly SelectedGroup[];
}

/** The fields of a group's file that are its own; the others are overrides for its tasks. */
const groupFields = new Set(['group', 'group_alias', 'task', 'aggregate_metric_list', 'metadata', 'tag']);

/** The tasks, groups and tags with these names, or all of the index. A group's fields override those of its tasks. */
export function selectTasks(index: TaskIndex, wanted: readonly string[] | undefined): Selection {
  const selector = new Selector(index);
  const all = [...index.entries.values()].sort((a, b) => (a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0));
  for (const name of wanted ?? all.map((entry) => entry.name))
    selector.add(name, { isAll: wanted === undefined });
  return selector.selection();
}

class Selector {
  readonly #index: TaskIndex;
  readonly #tasks = new Map<string, TaskFields>();
  readonly #groups = new Map<string, { fields: TaskFields; tasks: Set<string> }>();

  constructor(index: TaskIndex) {
    this.#index = index;
  }

  selection(): Selection {
    return {
      tasks: [...this.#tasks].map(([name, fields]) => ({ name, fields })),
      groups: [...this.#groups].map(([name, group]) => ({ name, ...group })),
    };
  }

  /** `isAll`: a task that a group led to before stays as it is. */
  add(name: string, { isAll }: { readonly isAll: boolean }): void {
    const entry = this.#index.entries.get(name);
    if (entry !== undefined) {
      if (!(isAll && this.#tasks.has(name))) this.#entry(entry, { overrides: new Map(), within: [] });
      return;
    }
    const tagged = this.#index.tags.get(name);
    if (tagged === undefined) throw this.#unknown(name);
    for (const task of [...tagged].sort(byCodeUnit)) this.add(task, { isAll });
  }

  #entry(entry: TaskEntry, reached: Reached): void {
    if (entry.kind === 'task') this.#task(entry.name, { fields: entry.fields, reached });
    else this.#group(entry.name, { fields: entry.fields, reached });
  }

  #task(name: string, { fields, reached }: { readonly fields: TaskFields; readonly reached: Reached }): void {
    const own = overridden(fields, reached.overrides);
    const before = this.#tasks.get(name);
    if (before !== undefined && !sameFields(before, own))
      throw new UserError({
        code: 'two-configurations',
        message: `two groups lead to the task \`${name}\` with different fields`,
        help: 'read them in two load stages',
      });
    this.#tasks.set(name, own);
    for (const group of reached.within) this.#groups.get(group)?.tasks.add(name);
  }

  #group(
    name: string,
    { fields, reached }: { readonly fields: TaskFields; readonly reached: Reached },
  ): void {
    const { overrides, within } = reached;
    const task = fields.get('task');
    if (within.includes(name))
      throw new UserError({
        code: 'group-cycle',
        message: `${task?.place}: the group \`${name}\` contains itself`,
      });
    if (!this.#groups.has(name)) this.#groups.set(name, { fields, tasks: new Set() });
    const forTasks = new Map([...fields].filter(([field]) => !groupFields.has(field)));
    const inner = { overrides: overridden(forTasks, overrides), within: [...within, name] };
    const members = task?.items.length === 0 ? [task] : (task?.items ?? []);
    for (const member of members) this.#member(member, { group: name, reached: inner });
  }

  /** A name, a task's name with overrides, or a group within the group. */
  #member(
    member: YamlValue,
    { group, reached }: { readonly group: string; readonly reached: Reached },
  ): void {
    const { fields, json, place } = member;
    const { task, group: inner } = isObject(json) ? json : { task: json };
    const own = new Map([...fields].filter(([field]) => field !== 'task' && field !== 'group'));
    const overrides = overridden(reached.overrides, own);
    if (typeof inner === 'string') {
      const known = this.#index.entries.get(inner);
      if (known === undefined) this.#group(`${group}::${inner}`, { fields, reached });
      else this.#entry(known, { ...reached, overrides });
    } else if (typeof task === 'string') {
      this.#named(task, { place, group, reached: { ...reached, overrides } });
    } else {
      throw new UserError({
        code: 'bad-group',
        message: `${place}: an item of a group must be a name, or name a \`task\` or a \`group\``,
      });
    }
  }

  #named(
    name: string,
    { place, group, reached }: { readonly place: string; readonly group: string; readonly reached: Reached },
  ): void {
    const entry = this.#index.entries.get(name);
    const tagged = this.#index.tags.get(name);
    if (entry !== undefined) this.#entry(entry, reached);
    else if (tagged !== undefined)
      for (const task of [...tagged].sort(byCodeUnit)) this.#named(task, { place, group, reached });
    // A task that only the group has.
    else if (reached.overrides.has('dataset_path'))
      this.#task(`${group}::${name}`, { fields: new Map(), reached });
    else throw this.#unknown(name, place);
  }

  #unknown(name: string, place?: string): UserError {
    const names = [...this.#index.entries.keys(), ...this.#index.tags.keys()];
    const { skipped } = this.#index;
    const near = didYouMean(name, names) ?? `there are ${names.slice(0, 40).join(', ')}`;
    const left =
      skipped.length === 0
        ? ''
        : `; ${skipped.length} files were not read, such as ${skipped.slice(0, 3).join(', ')}`;
    return new UserError({
      code: 'unknown-task',
      message: `${place === undefined ? '' : `${place}: `}there is no task, group or tag \`${name}\` in the source`,
      help: `${near}${left}; \`records\` must be a folder that holds all files of a group`,
    });
  }
}

/** How a task was reached: what overrides its fields, and the groups around it. */
interface Reached {
  readonly overrides: TaskFields;
  readonly within: readonly string[];
}

const overridden = (fields: TaskFields, by: TaskFields): TaskFields => new Map([...fields, ...by]);

const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sameFields = (one: TaskFields, other: TaskFields): boolean =>
  one.size === other.size &&
  [...one].every(([name, { json, place }]) => {
    const counterpart = other.get(name);
    return counterpart?.place === place || JSON.stringify(counterpart?.json) === JSON.stringify(json);
  });
