import { readFile } from 'node:fs/promises';
import { parseScores } from '../../metrics/index.ts';
import { blobFile, hasErrorCode, type Rerun, type StagePorts, type Store } from '../../runtime/index.ts';

/** A number in a stage's scores. */
export interface ComparedNumber {
  /** The metric, and what it is about where it has several figures. */
  readonly name: string;
  readonly first: number;
  /** Undefined if it was not computed again. */
  readonly again: number | undefined;
}

/** Every number in the scores of a stage that ran again, in their order; none if the first ones are not here. */
export async function numbersOf(
  store: Store,
  {
    rerun: { first, again, scratch },
    ports,
  }: { readonly rerun: Extract<Rerun, { kind: 'reran' }>; readonly ports: StagePorts['outputs'] },
): Promise<readonly ComparedNumber[]> {
  const numbers: ComparedNumber[] = [];
  for (const [port, { type }] of Object.entries(ports)) {
    const [before, now] = [first.outputs[port], again.outputs[port]];
    if (type !== 'scores' || typeof before !== 'string' || typeof now !== 'string') continue;
    const figures = await figuresIn(blobFile(store, before));
    const others = await figuresIn(blobFile(scratch, now));
    for (const [name, figure] of figures) numbers.push({ name, first: figure, again: others.get(name) });
  }
  return numbers;
}

async function figuresIn(path: string): Promise<ReadonlyMap<string, number>> {
  try {
    const { metrics } = parseScores(await readFile(path, 'utf8'), path);
    return new Map(
      metrics.map(({ metric, of, value }) => [of === undefined ? metric : `${metric} of ${of}`, value]),
    );
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return new Map();
    throw error;
  }
}
