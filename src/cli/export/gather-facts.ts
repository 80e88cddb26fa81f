import type { JsonObject } from '../../json.ts';
import type { Dag, DagNode } from '../../runtime/index.ts';
import { collectLosses } from '../summary/collect-losses.ts';
import { collectScores } from '../summary/collect-scores.ts';
import type { FinishedOutput, NamedOutput } from '../summary/finished-outputs.ts';
import type { ExportOrigin } from './open-export-source.ts';
import { madeInPast } from './past-facts.ts';

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
export type MadeBy = Pick<CardFacts, 'pipelineFile' | 'params' | 'data'> & {
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
