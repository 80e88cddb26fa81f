import type { Dag, RunResult, StageOutcome, Store } from '../../runtime/index.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { collectAnswers } from './collect-answers.ts';
import { collectLosses } from './collect-losses.ts';
import { collectScores } from './collect-scores.ts';
import { finishedOutputs } from './finished-outputs.ts';
import { pointScores } from './point-scores.ts';
import type { FailedStage, RunSummary } from './run-summary.ts';

/** Gathers what a run came to: its counts, and the losses, scores and answers that stand in the store after it. */
export async function summarizeRun(request: {
  readonly dag: Dag;
  readonly store: Store;
  readonly result: RunResult;
}): Promise<RunSummary> {
  const { dag, store, result } = request;
  const named = (decision: StageOutcome['decision']) =>
    [...result.stages].filter(([, outcome]) => outcome.decision === decision).map(([stage]) => stage);
  const outputs = finishedOutputs(dag, result);
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

function failedStage([stage, outcome]: readonly [string, StageOutcome]): readonly FailedStage[] {
  if (outcome.decision !== 'failed' || outcome.failure.kind === 'interrupted') return [];
  const { failure, logPath } = outcome;
  return [{ stage, ...describeFailure(failure), ...(logPath === undefined ? {} : { log: logPath }) }];
}
