/** Each stage's id -> the ids of the stages it needs, which all exist. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

interface StageOrder {
  /** Each stage after all it needs, ties broken by the id's code units. */
  readonly order: readonly string[];
  /** For each cycle a path along needs that begins and ends with the same stage. */
  readonly cycles: readonly (readonly string[])[];
}

/** Orders stages topologically (Kahn's algorithm), without those that are on a cycle or need one. */
export function orderStages(dependencies: Dependencies): StageOrder {
  const waiting = new Map([...dependencies].map(([id, needs]) => [id, new Set(needs).size]));
  const dependents = new Map([...dependencies.keys()].map((id): [string, string[]] => [id, []]));
  for (const [id, needs] of dependencies) for (const need of new Set(needs)) dependents.get(need)?.push(id);
  const ready = [...waiting]
    .filter(([, count]) => count === 0)
    .map(([id]) => id)
    .sort(descending);
  const order: string[] = [];
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    order.push(id);
    for (const dependent of dependents.get(id) ?? []) {
      const count = (waiting.get(dependent) ?? 0) - 1;
      waiting.set(dependent, count);
      if (count === 0) insert(ready, dependent);
    }
  }
  const done = new Set(order);
  const stuck = [...dependencies.keys()].filter((id) => !done.has(id)).sort();
  return { order, cycles: findCycles(stuck, dependencies) };
}

const descending = (a: string, b: string): number => (a < b ? 1 : a > b ? -1 : 0);

/** Keeps the list descending, so that the next stage is at its end. */
function insert(list: string[], id: string): void {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? '') > id) low = middle + 1;
    else high = middle;
  }
  list.splice(low, 0, id);
}

/** Follows needs from each stuck stage until one repeats. No stage is part of two reported cycles. */
function findCycles(stuck: readonly string[], dependencies: Dependencies): readonly (readonly string[])[] {
  const open = new Set(stuck);
  const seen = new Set<string>();
  const cycles: (readonly string[])[] = [];
  for (const start of stuck) {
    const path: string[] = [];
    let id: string | undefined = start;
    while (id !== undefined && !seen.has(id)) {
      seen.add(id);
      path.push(id);
      id = dependencies.get(id)?.find((need) => open.has(need));
    }
    const at = id === undefined ? -1 : path.indexOf(id);
    if (id !== undefined && at >= 0) cycles.push([...path.slice(at), id]);
  }
  return cycles;
}
