import { type JsonObject, UserError } from '../../core/index.ts';
import type { Dag, RunResult, StageOutcome, Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import {
  collectLosses,
  collectScores,
  type FinishedOutput,
  finishedOutputs,
  presentOutputs,
  readOutput,
  type StageLosses,
  type StageScores,
} from './outputs.ts';

/** Gathers the results of a run: its counts, and the losses, scores and answers in the store after it. */
export async function summarizeRun({
  dag,
  store,
  result,
}: {
  readonly dag: Dag;
  readonly store: Store;
  readonly result: RunResult;
}): Promise<RunSummary> {
  const named = (decision: StageOutcome['decision']) =>
    [...result.stages].filter(([, outcome]) => outcome.decision === decision).map(([stage]) => stage);
  const outputs = await presentOutputs(store, finishedOutputs(dag, result));
  const scores = await collectScores(store, outputs);
  return {
    pipeline: dag.name,
    run: result.run,
    outcome: result.outcome,
    milliseconds: result.milliseconds,
    ran: named('ran'),
    reused: named('reused'),
    failed: [...result.stages].flatMap(failedStage),
    skipped: named('skipped'),
    losses: await collectLosses(store, outputs),
    scores,
    answers: await collectAnswers(store, outputs),
    ...(dag.points && { points: pointScores(dag.points, scores) }),
    try_next: result.outcome === 'succeeded' ? dag.tryNext : [],
  };
}

/** The results of a run, for people and programs. */
export interface RunSummary {
  readonly pipeline: string;
  readonly run: string;
  readonly outcome: 'succeeded' | 'failed' | 'interrupted';
  readonly milliseconds: number;
  readonly ran: readonly string[];
  readonly reused: readonly string[];
  readonly failed: readonly FailedStage[];
  readonly skipped: readonly string[];
  readonly losses: readonly StageLosses[];
  readonly scores: readonly StageScores[];
  readonly answers: readonly ComparedAnswer[];
  /** Of a sweep: each point's params and scores. */
  readonly points?: readonly PointScores[];
  readonly try_next: readonly string[];
}

export interface FailedStage {
  readonly stage: string;
  readonly message: string;
  readonly help?: string;
  readonly log?: string;
}

function failedStage([stage, outcome]: readonly [string, StageOutcome]): readonly FailedStage[] {
  if (outcome.decision !== 'failed' || outcome.failure.kind === 'interrupted') return [];
  const { failure, logPath } = outcome;
  return [{ stage, ...describeFailure(failure), ...(logPath === undefined ? {} : { log: logPath }) }];
}

/** One prompt, and the answer of each stage. */
export interface ComparedAnswer {
  readonly question: string;
  readonly expected: string;
  readonly given: readonly { readonly stage: string; readonly response: string }[];
}

const SHOWN = 3;
const READ = 1000;

/** A few answers, side by side if several stages answered the same prompts. */
async function collectAnswers(
  store: Store,
  outputs: readonly FinishedOutput[],
): Promise<readonly ComparedAnswer[]> {
  const generated = samePrompts(outputs.filter(({ type }) => type === 'responses'));
  const columns = await Promise.all(
    generated.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => ({ stage: node.id, responses: await textsOf(path) })),
    ),
  );
  return spread(columns[0]?.responses ?? []).map((response) => ({
    question: questionOf(response),
    expected: response.expected.trim(),
    given: columns.flatMap(({ stage, responses }) => {
      const same = responses.find(({ id }) => id === response.id);
      return same?.response === undefined ? [] : [{ stage, response: same.response }];
    }),
  }));
}

/** The largest group of stages with the same prompts; of several such groups, the last. */
function samePrompts(outputs: readonly FinishedOutput[]): readonly FinishedOutput[] {
  const groups = new Map<string, FinishedOutput[]>();
  for (const output of outputs) {
    const { stage, output: name, part } = output.node.inputs.prompts ?? {};
    const prompts = JSON.stringify([stage, name, part]);
    groups.set(prompts, [...(groups.get(prompts) ?? []), output]);
  }
  return [...groups.values()].reduce((largest, next) => (next.length >= largest.length ? next : largest), []);
}

/** The first answers of a file; none if a stage of the user's wrote something else, which is no reason to end without a summary. */
async function textsOf(path: string): Promise<readonly ResponseRecord[]> {
  const texts: ResponseRecord[] = [];
  try {
    for await (const record of portCodecs.responses.read(path)) {
      if (record.response !== undefined) texts.push(record);
      if (texts.length === READ) break;
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  return texts;
}

/** A few, evenly spaced: neighbors are often alike. */
function spread(responses: readonly ResponseRecord[]): readonly ResponseRecord[] {
  const count = Math.min(SHOWN, responses.length);
  return Array.from(
    { length: count },
    (_, index) => responses[Math.floor((index * responses.length) / count)],
  ).filter((response) => response !== undefined);
}

export interface PointScores {
  readonly point: string;
  readonly params: JsonObject;
  /** Of the point's own and shared evaluations, by their ids in the pipeline. */
  readonly scores: readonly StageScores[];
}

/** The scores of a sweep by its points; an evaluation that several points share is listed at each of them. */
const pointScores = (
  points: NonNullable<Dag['points']>,
  scores: readonly StageScores[],
): readonly PointScores[] =>
  points.map(({ label, params, stages }) => ({
    point: label,
    params,
    scores: [...stages].flatMap(([id, node]) =>
      scores.filter(({ stage }) => stage === node).map(({ metrics }) => ({ stage: id, metrics })),
    ),
  }));

/** The row's instruction, else the end of the prompt, where a template puts the question. */
export function questionOf({ fields, prompt }: ResponseRecord): string {
  const { instruction, input } = fields;
  if (typeof instruction !== 'string') return prompt.trim().slice(-200);
  return typeof input === 'string' && input !== '' ? `${instruction}\n${input}` : instruction;
}
