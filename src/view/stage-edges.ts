import { digestsAt, type PortContent } from '../runtime/index.ts';

/** What flows from one stage of a run to another. */
export interface StageEdge {
  readonly from: string;
  readonly output: string;
  readonly part?: string;
  readonly to: string;
  readonly port: string;
}

interface StageFlow {
  readonly id: string;
  readonly inputs: Readonly<Record<string, PortContent>>;
  readonly outputs: Readonly<Record<string, PortContent>>;
}

/**
 * Finds which stages fed which, in the order of the run. Records name contents, not stages: an input comes from the
 * nearest stage before it whose output has its digest. Two stages that wrote the same bytes cannot be told apart.
 */
export function producersIn(stages: readonly StageFlow[]): readonly StageEdge[] {
  const producers = new Map<string, Omit<StageEdge, 'to' | 'port'>>();
  return stages.flatMap(({ id, inputs, outputs }) => {
    const edges = Object.entries(inputs).flatMap(([port, content]) => {
      const from = producers.get(contentName(content));
      return from === undefined ? [] : [{ ...from, to: id, port }];
    });
    for (const [output, content] of Object.entries(outputs)) {
      producers.set(contentName(content), { from: id, output });
      for (const { digest, part } of digestsAt(content))
        if (part !== undefined) producers.set(digest, { from: id, output, part });
    }
    return edges;
  });
}

const contentName = (content: PortContent): string =>
  typeof content === 'string' ? content : JSON.stringify(Object.entries(content.parts).sort(byName));

const byName = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);
