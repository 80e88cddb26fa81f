import { digestsAt, type PortContent, type RunRecord, readRecord, type Store } from '../runtime/index.ts';

/** What flows from one stage of a run to another. */
export interface StageEdge {
  readonly from: string;
  readonly output: string;
  readonly part?: string;
  readonly to: string;
  readonly port: string;
}

/** What flowed between the stages of a run, as far as their records are in the store. */
export const edgesOf = (store: Store, { stages }: RunRecord): readonly StageEdge[] =>
  producersIn(
    Object.entries(stages).map(([id, stage]) => {
      const found = 'key' in stage ? readRecord(store, stage.key) : undefined;
      return {
        id,
        inputs: found?.kind === 'usable' ? found.record.material.inputs : {},
        outputs: 'outputs' in stage ? stage.outputs : {},
      };
    }),
  );

/**
 * Stages with those first that fewer trainings lead to, else as they are: what a base model answers and scores comes
 * before what it does after its training.
 */
export function beforeTrainingFirst(
  store: Store,
  { run, stages }: { readonly run: RunRecord; readonly stages: readonly string[] },
): readonly string[] {
  const edges = edgesOf(store, run);
  const trainings = new Map<string, ReadonlySet<string>>();
  // In the order of the run every stage comes after those that it needs.
  for (const [id, { uses }] of Object.entries(run.stages)) {
    const before = edges
      .filter(({ to }) => to === id)
      .flatMap(({ from }) => [...(trainings.get(from) ?? [])]);
    trainings.set(id, new Set([...before, ...(uses === 'train' ? [id] : [])]));
  }
  const count = (stage: string): number => trainings.get(stage)?.size ?? 0;
  return [...stages].sort((a, b) => count(a) - count(b));
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
