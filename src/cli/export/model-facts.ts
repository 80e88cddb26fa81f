import { isObject, type JsonObject, own } from '../../core/index.ts';
import {
  type ActionRecord,
  type Dag,
  type DagNode,
  digestsAt,
  type PortContent,
  type RunRecord,
  readRecord,
} from '../../runtime/index.ts';
import { stageRegistry } from '../../stages/index.ts';
import { collectScores, type FinishedOutput, type NamedOutput } from '../summary/outputs.ts';
import { collectTrainings, lossesOf } from '../summary/trainings.ts';
import type { ExportOrigin } from './export-source.ts';

/** What is known about how a model was made. */
export interface CardFacts {
  readonly pipeline: string;
  /** The stage that wrote the model. */
  readonly stage: string;
  /** Undefined if it has changed since. */
  readonly pipelineFile: string | undefined;
  readonly params: JsonObject;
  /** The sources of the model, with the digests of their contents. */
  readonly data: readonly { readonly path: string; readonly digest: string }[];
  /** Stage, set, first loss, last loss. */
  readonly losses: readonly (readonly string[])[];
  /** Stage, metric, value, count; of the evaluations that depend on the model. */
  readonly scores: readonly (readonly string[])[];
}

/** How a model was made, by the present pipeline or in a past run. */
type MadeBy = Pick<CardFacts, 'pipelineFile' | 'params' | 'data'> & {
  /** Outputs of the stage and those that it needs. */
  readonly before: readonly NamedOutput[];
  /** Outputs of the stage and those that need it. */
  readonly after: readonly NamedOutput[];
};

/** Gathers the facts from the pipeline and its store or, if the pipeline has changed, from the records of the run. */
export async function gatherFacts(origin: ExportOrigin): Promise<CardFacts> {
  const { dag, store, pastRun: run } = origin;
  const made = run === undefined ? madeNow(origin) : madeInPast(origin, run);
  const losses = (await collectTrainings(store, made.before)).map(lossesOf);
  const scores = await collectScores(store, made.after);
  return {
    pipeline: dag.name,
    stage: origin.stage,
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

/** The stage and all that it needs. */
function ancestors(dag: Dag, stage: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(stage)) return found;
  found.add(stage);
  for (const input of Object.values(dag.nodes.get(stage)?.inputs ?? {})) ancestors(dag, input.stage, found);
  return found;
}

/** The stage and all that need it; nodes are in topological order. */
function descendants(dag: Dag, stage: string): ReadonlySet<string> {
  const found = new Set([stage]);
  for (const [id, { inputs }] of dag.nodes)
    if (Object.values(inputs).some((input) => found.has(input.stage))) found.add(id);
  return found;
}

/** Reads the facts from the records of a past run. They hold the digests of sources, not their paths. */
function madeInPast({ dag, store, stage }: ExportOrigin, run: RunRecord): MadeBy {
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
    before: before.flatMap((each) => recordedOutputs(each, dag)),
    after: after.flatMap((each) => recordedOutputs(each, dag)),
  };
}

type StageRecord = readonly [id: string, record: ActionRecord];

/** The stage and all that can be reached from it by steps for which `next` holds, in the run's order. */
function reached(
  records: ReadonlyMap<string, ActionRecord>,
  { from, next }: { from: string; next: (one: ActionRecord, other: ActionRecord) => boolean },
): readonly StageRecord[] {
  const found = new Set([from]);
  for (const id of found) {
    const record = records.get(id);
    if (record !== undefined)
      for (const [other, candidate] of records) if (next(record, candidate)) found.add(other);
  }
  return [...records].filter(([id]) => found.has(id));
}

/** Whether an output of one stage is an input of the other. */
function feeds({ outputs }: ActionRecord, { material }: ActionRecord): boolean {
  const given = new Set(digestsOf(material.inputs));
  return digestsOf(outputs).some((digest) => given.has(digest));
}

const digestsOf = (ports: Readonly<Record<string, PortContent>>): readonly string[] =>
  Object.values(ports).flatMap((content) => [...digestsAt(content)].map(({ digest }) => digest));

/** The fields of a configuration that name a source. */
const contentsIn = (config: ActionRecord['material']['config']) =>
  Object.entries(config).flatMap(([field, value]) => {
    const digest = isObject(value) ? value.$content : undefined;
    return typeof digest === 'string' ? [{ field, digest }] : [];
  });

/** A past run's outputs. A user's stage says their types only where the pipeline still has it. */
function recordedOutputs([id, { material, outputs }]: StageRecord, { nodes }: Dag): readonly NamedOutput[] {
  const { uses, config } = material;
  const node = nodes.get(id);
  const builtIn = stageRegistry.get(uses);
  const ports =
    node?.definition.name === uses ? node.ports : builtIn ? builtIn.ports(config) : { outputs: {} };
  return Object.entries(outputs).flatMap(([name, digest]) => {
    const type = own(ports.outputs, name)?.type;
    return type === undefined || typeof digest !== 'string' ? [] : [{ node: { id }, type, digest }];
  });
}
