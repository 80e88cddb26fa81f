import type { JsonObject } from '../../core/index.ts';
import type { Dag, RunResult, StageOutcome, Store } from '../../runtime/index.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { type AnsweredCount, type ComparedAnswer, collectAnswers } from './answers.ts';
import { collectScores, finishedOutputs, presentOutputs, type StageScores } from './outputs.ts';
import { collectTrainings, lossesOf, type StageLosses, type Training } from './trainings.ts';

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
  const trainings = await collectTrainings(
    store,
    outputs.map((output) => ({ ...output, keep: output.node.config.keep })),
  );
  const isNew = ({ stage }: Training) => result.stages.get(stage)?.decision === 'ran';
  return {
    pipeline: dag.name,
    run: result.run,
    outcome: result.outcome,
    milliseconds: result.milliseconds,
    ran: named('ran'),
    reused: named('reused'),
    failed: [...result.stages].flatMap(failedStage),
    stopped: [...result.stages].filter(isStopped).map(([stage]) => stage),
    skipped: named('skipped'),
    losses: trainings.map(lossesOf),
    trainings: trainings.filter(isNew),
    scores,
    ...(await collectAnswers(store, outputs)),
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
  /** Ctrl-C ended them, or another signal. */
  readonly stopped: readonly string[];
  readonly skipped: readonly string[];
  readonly losses: readonly StageLosses[];
  /** The curves of those that ran, to be drawn; programs find them in the history. */
  readonly trainings: readonly Training[];
  readonly scores: readonly StageScores[];
  /** A few, those that are wrong first. */
  readonly answers: readonly ComparedAnswer[];
  /** All answers that these were chosen from; absent if there are none. */
  readonly answered?: AnsweredCount;
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

const isStopped = ([, outcome]: readonly [string, StageOutcome]): boolean =>
  outcome.decision === 'failed' && outcome.failure.kind === 'interrupted';

function failedStage([stage, outcome]: readonly [string, StageOutcome]): readonly FailedStage[] {
  if (outcome.decision !== 'failed' || outcome.failure.kind === 'interrupted') return [];
  const { failure, logPath } = outcome;
  return [{ stage, ...describeFailure(failure), ...(logPath === undefined ? {} : { log: logPath }) }];
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
