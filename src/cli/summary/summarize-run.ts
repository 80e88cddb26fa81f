import type { Dag, RunResult, StageOutcome, Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import type { HistoryEntry } from '../../training/index.ts';
import { describeFailure } from '../reporter/describe-failure.ts';
import { type FinishedOutput, finishedOutputs, type NamedOutput, readOutput } from './finished-outputs.ts';
import type {
  ComparedAnswer,
  FailedStage,
  LossCourse,
  PointScores,
  RunSummary,
  StageLosses,
  StageScores,
} from './run-summary.ts';

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

const SHOWN = 3;
const LOOKED_AT = 1000;

/** A few answers; where several stages answered the same prompts, side by side. */
async function collectAnswers(
  store: Store,
  outputs: readonly FinishedOutput[],
): Promise<readonly ComparedAnswer[]> {
  const asked = samePrompts(outputs.filter(({ type }) => type === 'responses'));
  const columns = await Promise.all(
    asked.map(({ node, digest }) =>
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

/** The largest group of stages that were asked the same; the last such group where several are as large. */
function samePrompts(outputs: readonly FinishedOutput[]): readonly FinishedOutput[] {
  const groups = new Map<string, FinishedOutput[]>();
  for (const output of outputs) {
    const { stage, output: name, part } = output.node.inputs.prompts ?? {};
    const prompts = JSON.stringify([stage, name, part]);
    groups.set(prompts, [...(groups.get(prompts) ?? []), output]);
  }
  return [...groups.values()].reduce((largest, next) => (next.length >= largest.length ? next : largest), []);
}

/** The first answers of a file. */
async function textsOf(path: string): Promise<readonly ResponseRecord[]> {
  const texts: ResponseRecord[] = [];
  for await (const record of portCodecs.responses.read(path)) {
    if (record.response !== undefined) texts.push(record);
    if (texts.length === LOOKED_AT) break;
  }
  return texts;
}

/** A few, evenly apart: neighbours are often alike. */
function spread(responses: readonly ResponseRecord[]): readonly ResponseRecord[] {
  const count = Math.min(SHOWN, responses.length);
  return Array.from(
    { length: count },
    (_, index) => responses[Math.floor((index * responses.length) / count)],
  ).filter((response) => response !== undefined);
}

/** The course of the losses of every training among the outputs. */
export async function collectLosses(
  store: Store,
  outputs: readonly NamedOutput[],
): Promise<readonly StageLosses[]> {
  const histories = outputs.filter(({ type }) => type === 'history');
  return await Promise.all(
    histories.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => lossesOf(node.id, portCodecs.history.read(path))),
    ),
  );
}

async function lossesOf(stage: string, history: AsyncIterable<HistoryEntry>): Promise<StageLosses> {
  const train: Measured[] = [];
  const validation: Measured[] = [];
  for await (const entry of history) {
    if (entry.type !== 'evaluation') continue;
    train.push({ step: entry.step, loss: entry.train_loss });
    if (entry.validation_loss !== undefined)
      validation.push({ step: entry.step, loss: entry.validation_loss });
  }
  const [trainCourse, validationCourse] = [courseOf(train), courseOf(validation)];
  return {
    stage,
    ...(trainCourse && { train: trainCourse }),
    ...(validationCourse && { validation: validationCourse }),
  };
}

interface Measured {
  readonly step: number;
  readonly loss: number;
}

function courseOf(measured: readonly Measured[]): LossCourse | undefined {
  const [first, last] = [measured[0], measured.at(-1)];
  if (!first || !last) return undefined;
  const best = measured.reduce((low, next) => (next.loss < low.loss ? next : low));
  return { first: first.loss, last: last.loss, best: best.loss, best_step: best.step };
}

/** The metrics of every evaluation among the outputs. */
export async function collectScores(
  store: Store,
  outputs: readonly NamedOutput[],
): Promise<readonly StageScores[]> {
  const evaluations = outputs.filter(({ type }) => type === 'scores');
  return await Promise.all(
    evaluations.map(({ node, digest }) =>
      readOutput({ store, digest }, async (path) => {
        const { metrics } = await portCodecs.scores.read(path).read();
        return { stage: node.id, metrics };
      }),
    ),
  );
}

/** The scores of a sweep by its points; an evaluation that several points share stands at each of them. */
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

/** The instruction as the row has it; else the end of the prompt, where a template puts the question. */
export function questionOf({ fields, prompt }: ResponseRecord): string {
  const { instruction, input } = fields;
  if (typeof instruction !== 'string') return prompt.trim().slice(-200);
  return typeof input === 'string' && input !== '' ? `${instruction}\n${input}` : instruction;
}
