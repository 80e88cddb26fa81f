import { isObject, type JsonObject } from '../../core/index.ts';
import {
  type ActionRecord,
  type Dag,
  type DagNode,
  digestsAt,
  type PortContent,
  type RunRecord,
  readRecord,
  type Store,
} from '../../runtime/index.ts';
import type { FinishedOutput, NamedOutput } from '../summary/finished-outputs.ts';
import { collectLosses, collectScores } from '../summary/summarize-run.ts';
import type { ExportOrigin } from './export-source.ts';

/** What is known of how a model came to be. */
export interface CardFacts {
  readonly pipeline: string;
  /** Undefined where it has changed since. */
  readonly pipelineFile: string | undefined;
  readonly params: JsonObject;
  /** What was read to make the model, with the digest of its content. */
  readonly data: readonly { readonly path: string; readonly digest: string }[];
  /** Stage, set, first loss, last loss. */
  readonly losses: readonly (readonly string[])[];
  /** Stage, metric, value, count; of what was made with the model and rated. */
  readonly scores: readonly (readonly string[])[];
}

/** How a model was made: by the pipeline as it is, or in a past run. */
type MadeBy = Pick<CardFacts, 'pipelineFile' | 'params' | 'data'> & {
  /** What the stage and those that it needs wrote. */
  readonly before: readonly NamedOutput[];
  /** What the stage and those that need it wrote. */
  readonly after: readonly NamedOutput[];
};

/** Gathers it from the pipeline and its store; of a model from before a change, from the records of its run. */
export async function gatherFacts(origin: ExportOrigin): Promise<CardFacts> {
  const { dag, store, stage, pastRun: run } = origin;
  const made = run === undefined ? madeNow(origin) : madeInPast({ store, run, stage });
  const losses = await collectLosses(store, made.before);
  const scores = await collectScores(store, made.after);
  return {
    pipeline: dag.name,
    pipelineFile: made.pipelineFile,
    params: made.params,
    data: made.data,
    losses: losses.flatMap((course) =>
      (['train', 'validation'] as const).flatMap((set) => {
        const each = course[set];
        return each === undefined ? [] : [[course.stage, set, short(each.first), short(each.last)]];
      }),
    ),
    scores: scores.flatMap(({ stage, metrics }) =>
      metrics.map(({ metric, of, value, count }) => [
        stage,
        of === undefined ? metric : `${metric} of ${of}`,
        short(value),
        String(count),
      ]),
    ),
  };
}

function madeNow({ dag, stage, plan }: ExportOrigin): MadeBy {
  const [before, after] = [ancestors(dag, stage), descendants(dag, stage)];
  const finished = (ids: ReadonlySet<string>) =>
    [...plan.stages].flatMap(([id, { node, decision }]) =>
      ids.has(id) && decision.kind === 'reuse' ? outputsOf(node, decision.record.outputs) : [],
    );
  const data = [...before].flatMap((id) =>
    (dag.nodes.get(id)?.sources ?? []).flatMap(({ path }) => {
      const digest = plan.sources.get(path);
      return digest === undefined ? [] : [{ path, digest: String(digest) }];
    }),
  );
  return {
    pipelineFile: dag.file,
    params: dag.params,
    data,
    before: finished(before),
    after: finished(after),
  };
}

const short = (value: number) => String(Number(value.toPrecision(6)));

function outputsOf(node: DagNode, outputs: Readonly<Record<string, unknown>>): readonly FinishedOutput[] {
  return Object.entries(outputs).flatMap(([name, digest]) => {
    const type = node.ports.outputs[name]?.type;
    return type === undefined || typeof digest !== 'string'
      ? []
      : [{ node, type, digest: digest as FinishedOutput['digest'] }]; // a record's outputs hold digests alone
  });
}

/** The stage itself and all that it needs. */
function ancestors(dag: Dag, stage: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(stage)) return found;
  found.add(stage);
  for (const input of Object.values(dag.nodes.get(stage)?.inputs ?? {})) ancestors(dag, input.stage, found);
  return found;
}

/** All that needs the stage; nodes stand in topological order. */
function descendants(dag: Dag, stage: string): ReadonlySet<string> {
  const found = new Set([stage]);
  for (const [id, { inputs }] of dag.nodes)
    if (Object.values(inputs).some((input) => found.has(input.stage))) found.add(id);
  return found;
}

interface PastModel {
  readonly store: Store;
  readonly run: RunRecord;
  /** The stage that wrote the model. */
  readonly stage: string;
}

/** What a past run's records say of a model, whatever the pipeline has become. Of sources they hold the digest, not the path. */
function madeInPast({ store, run, stage }: PastModel): MadeBy {
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
    before: before.flatMap(recordedOutputs),
    after: after.flatMap(recordedOutputs),
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
    const digest = isObject(value) ? value.$content : undefined;
    return typeof digest === 'string' ? [{ field, digest }] : [];
  });

/** Outputs of the built-in stages that measure something have the name of their type. */
const recordedOutputs = ([id, { outputs }]: StageRecord): readonly NamedOutput[] =>
  Object.entries(outputs).flatMap(([name, digest]) =>
    typeof digest === 'string' ? [{ node: { id }, type: name, digest }] : [],
  );
