import { nearName } from '../../../text/near-name.ts';
import { UserError } from '../../../user-error.ts';

/** Things by their tasks, in the order of the benchmark: those that are wanted. A task that is not there is an error. */
export function wantedTasks<Item>(
  items: ReadonlyMap<string, Item>,
  wanted: readonly string[] | undefined,
): ReadonlyMap<string, Item> {
  if (wanted === undefined) return items;
  const names = [...items.keys()];
  const unknown = wanted.find((task) => !items.has(task));
  if (unknown === undefined) return new Map([...items].filter(([task]) => wanted.includes(task)));
  const near = nearName(unknown, names);
  throw new UserError({
    code: 'unknown-task',
    message: `the benchmark has no task \`${unknown}\``,
    help: near === undefined ? `it has ${names.slice(0, 60).join(', ')}` : `did you mean \`${near}\`?`,
  });
}
