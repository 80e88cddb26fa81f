import type { JsonObject } from '../../json.ts';
import type { Dag, DagNode } from '../../runtime/index.ts';
import { collectLosses } from '../summary/collect-losses.ts';
import { collectScores } from '../summary/collect-scores.ts';
import type { FinishedOutput } from '../summary/finished-outputs.ts';
import type { ExportOrigin } from './open-export-source.ts';

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

/** Gathers it from the pipeline and its store; of a model from before a change only the pipeline's name is known. */
export async function gatherFacts({ dag, store, plan, stage }: ExportOrigin): Promise<CardFacts> {
  const { name: pipeline, params } = dag;
  if (plan === undefined)
    return { pipeline, pipelineFile: undefined, params: {}, data: [], losses: [], scores: [] };
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
  const losses = await collectLosses(store, finished(before));
  const scores = await collectScores(store, finished(after));
  return {
    pipeline,
    pipelineFile: dag.file,
    params,
    data,
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
