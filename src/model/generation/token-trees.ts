import type { ModelConfig } from '../model-config.ts';

/** A context with continuations to choose from. */
export interface ChoicesToScore {
  readonly id: string;
  /** At least one token. */
  readonly context: Int32Array;
  /** At least one token each. */
  readonly continuations: readonly Int32Array[];
  /** How many of the context's first tokens other contexts are expected to share. */
  readonly shared: number;
}

/**
 * A context and its continuations: the context once, then each continuation without its last token. No continuation
 * attends to another.
 */
export interface TokenTree {
  readonly ids: Int32Array;
  /** Each token's position in its own text. */
  readonly positions: Int32Array;
  /** 0 for the context, to which all attend, then a number per continuation. */
  readonly branches: Int32Array;
  /** Where the context ends in `ids`: the state there predicts the first token of every continuation. */
  readonly contextEnd: number;
  readonly continuations: readonly TreeContinuation[];
}

interface TreeContinuation {
  readonly tokens: Int32Array;
  /** Where the tokens that predict its second and later ones begin in `ids`. */
  readonly start: number;
}

function tokenTree({
  context,
  continuations,
  cached,
}: {
  readonly context: Int32Array;
  readonly continuations: readonly Int32Array[];
  /** How many of the context's first tokens are in the cached prefix instead of the tree; not all. */
  readonly cached: number;
}): TokenTree {
  const own = context.subarray(cached);
  const ids: number[] = [...own];
  const positions = ids.map((_, index) => cached + index);
  const branches = ids.map(() => 0);
  const branched = continuations.map((tokens, branch) => {
    const start = ids.length;
    for (const [index, id] of tokens.subarray(0, -1).entries()) {
      ids.push(id);
      positions.push(context.length + index);
      branches.push(branch + 1);
    }
    return { tokens, start };
  });
  return {
    ids: Int32Array.from(ids),
    positions: Int32Array.from(positions),
    branches: Int32Array.from(branches),
    contextEnd: own.length - 1,
    continuations: branched,
  };
}

/** A tree that scores some of a context's continuations, starting with the one at index `from`. */
export interface PlannedTree {
  readonly id: string;
  /** The context's first tokens, which are read once for all contexts that begin with them. */
  readonly prefix: Int32Array;
  readonly from: number;
  readonly tree: TokenTree;
}

/** A prefix of fewer tokens is read again with each context, because reading it alone takes a pass of its own. */
const shortestPrefix = 32;

/** Continuations may double the tree's length, or add up to this many tokens. */
const fewTokens = 128;

/** The trees that score all continuations. How a context is split depends on itself and the model alone. */
export function planTrees(
  choices: readonly ChoicesToScore[],
  model: Pick<ModelConfig, 'windows'> & { readonly isLengthBound: boolean },
): readonly PlannedTree[] {
  const { windows, isLengthBound } = model;
  const narrowest = Math.min(...windows.map((window = Number.POSITIVE_INFINITY) => window));
  return choices.flatMap(({ id, context, continuations, shared }) => {
    const longest = context.length + Math.max(...continuations.map(({ length }) => length));
    const usable = isLengthBound || longest > narrowest ? 0 : Math.min(shared, context.length - 1);
    const cached = usable < shortestPrefix ? 0 : usable;
    const room = isLengthBound ? 0 : Math.max(fewTokens, context.length - cached);
    return splitContinuations(continuations, room).map(([from, to]): PlannedTree => {
      const tree = tokenTree({ context, continuations: continuations.slice(from, to), cached });
      return { id, prefix: context.subarray(0, cached), from, tree };
    });
  });
}

/** Ranges of continuations, each with at least one and no more tokens than there is room for. */
function splitContinuations(
  continuations: readonly Int32Array[],
  room: number,
): readonly (readonly [from: number, to: number])[] {
  const ranges: (readonly [number, number])[] = [];
  let from = 0;
  let used = 0;
  for (const [index, { length }] of continuations.entries()) {
    if (index > from && used + length > room) {
      ranges.push([from, index]);
      [from, used] = [index, 0];
    }
    used += length;
  }
  return [...ranges, [from, continuations.length]];
}

/** Trees by their cached prefix, in the order in which prefixes first appear. */
export function groupByPrefix(
  trees: readonly PlannedTree[],
): readonly { readonly prefix: Int32Array; readonly trees: readonly PlannedTree[] }[] {
  const groups = new Map<string, { prefix: Int32Array; trees: PlannedTree[] }>();
  for (const tree of trees) {
    const name = tree.prefix.join();
    const group = groups.get(name);
    if (group === undefined) groups.set(name, { prefix: tree.prefix, trees: [tree] });
    else group.trees.push(tree);
  }
  return [...groups.values()];
}
