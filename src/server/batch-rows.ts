import { type Example, ignoredTarget } from '../training/index.ts';

/** One row of a batch as the loss sees it. */
export interface BatchRow {
  readonly id: string;
  /** Runs of adjacent tokens that are all trained, or all masked: read but not learned. */
  readonly runs: readonly TokenRun[];
  /** The number of padding tokens that follow. */
  readonly padding: number;
}

interface TokenRun {
  readonly kind: 'trained' | 'masked';
  readonly tokens: readonly number[];
}

/** Lines up the examples: each row is the first input, then the target of each input. */
export function batchRows(examples: readonly Example[]): readonly BatchRow[] {
  const width = examples.reduce((most, { inputs }) => Math.max(most, inputs.length), 0);
  return examples.map((example) => ({
    id: example.id,
    runs: runsOf(example),
    padding: width - example.inputs.length,
  }));
}

function runsOf({ inputs, targets }: Example): readonly TokenRun[] {
  const runs: { kind: TokenRun['kind']; tokens: number[] }[] = [];
  const add = (kind: TokenRun['kind'], token: number | undefined) => {
    if (token === undefined) return;
    const last = runs.at(-1);
    if (last?.kind === kind) last.tokens.push(token);
    else runs.push({ kind, tokens: [token] });
  };
  add('masked', inputs[0]);
  for (const [index, target] of targets.entries()) {
    // A masked target's token is the next input; after the last input it is unknown.
    if (target === ignoredTarget) add('masked', inputs[index + 1]);
    else add('trained', target);
  }
  return runs;
}
