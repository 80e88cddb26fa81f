import {
  type ActionRecord,
  digestsAt,
  type PortContent,
  type RunRecord,
  readRecord,
  type Store,
} from '../../runtime/index.ts';
import type { NamedOutput } from '../summary/finished-outputs.ts';
import type { MadeBy } from './gather-facts.ts';

interface PastModel {
  readonly store: Store;
  readonly run: RunRecord;
  /** The stage that wrote the model. */
  readonly stage: string;
}

/** What a past run's records say of a model, whatever the pipeline has become. Of sources they hold the digest, not the path. */
export function madeInPast({ store, run, stage }: PastModel): MadeBy {
  const records = new Map<string, ActionRecord>();
  for (const [id, outcome] of Object.entries(run.stages)) {
    const found = 'outputs' in outcome ? readRecord(store, outcome.key) : undefined;
    if (found?.kind === 'usable') records.set(id, found.record);
  }
  const before = reached(records, { from: stage, next: (a, b) => feeds(b, a) });
  const after = reached(records, { from: stage, next: feeds });
  return {
    pipelineFile: undefined,
    params: run.params,
    data: before.flatMap(([id, { material }]) =>
      contentsIn(material.config).map(({ field, digest }) => ({ path: `${id}: ${field}`, digest })),
    ),
    before: before.flatMap(outputsOf),
    after: after.flatMap(outputsOf),
  };
}

type StageRecord = readonly [id: string, record: ActionRecord];

interface Walk {
  readonly from: string;
  /** Whether the second follows the first. */
  readonly next: (one: ActionRecord, other: ActionRecord) => boolean;
}

/** The stage and all that it leads to, in the run's order. */
function reached(records: ReadonlyMap<string, ActionRecord>, { from, next }: Walk): readonly StageRecord[] {
  const found = new Set([from]);
  for (const id of found) {
    const record = records.get(id);
    if (record !== undefined)
      for (const [other, candidate] of records) if (next(record, candidate)) found.add(other);
  }
  return [...records].filter(([id]) => found.has(id));
}

/** Whether something that one stage wrote is what the other was given. */
function feeds({ outputs }: ActionRecord, { material }: ActionRecord): boolean {
  const given = new Set(digestsOf(material.inputs));
  return digestsOf(outputs).some((digest) => given.has(digest));
}

const digestsOf = (ports: Readonly<Record<string, PortContent>>): readonly string[] =>
  Object.values(ports).flatMap((content) => [...digestsAt(content)].map(({ digest }) => digest));

/** The fields of a configuration that stood for a source. */
const contentsIn = (config: ActionRecord['material']['config']) =>
  Object.entries(config).flatMap(([field, value]) => {
    const isContent = typeof value === 'object' && value !== null && '$content' in value;
    return isContent && typeof value.$content === 'string' ? [{ field, digest: value.$content }] : [];
  });

/** Outputs of the built-in stages that measure something have the name of their type. */
const outputsOf = ([id, { outputs }]: StageRecord): readonly NamedOutput[] =>
  Object.entries(outputs).flatMap(([name, digest]) =>
    typeof digest === 'string' ? [{ node: { id }, type: name, digest }] : [],
  );
