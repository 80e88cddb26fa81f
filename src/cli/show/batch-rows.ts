import type { Example } from '../../training/batches/example.ts';
import { ignoredTarget } from '../../training/batches/pad-batch.ts';

/** One row of a batch as the loss sees it. */
export interface BatchRow {
  readonly id: string;
  /** Runs of neighbouring tokens that are all trained, or all masked: read but not learnt. */
  readonly runs: readonly TokenRun[];
  /** How many padding tokens follow. */
  readonly padding: number;
}

export interface TokenRun {
  readonly kind: 'trained' | 'masked';
  readonly tokens: readonly number[];
}

/** Lines examples up: the text is the first input and then what should follow each input. */
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
    // A masked target's token is the next input; behind the last input nobody knows it.
    if (target === ignoredTarget) add('masked', inputs[index + 1]);
    else add('trained', target);
  }
  return runs;
}
