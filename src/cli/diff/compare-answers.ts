import { own } from '../../core/index.ts';
import type { Scores } from '../../metrics/index.ts';
import { contentState, type Digest, type RunRecord, readRecord, type Store } from '../../runtime/index.ts';
import { portCodecs } from '../../stages/index.ts';
import type { ResponseRecord } from '../../text/index.ts';
import { readOutput } from '../summary/outputs.ts';
import { questionOf } from '../summary/summarize-run.ts';

/** The answers of every stage that both runs have, record by record; those whose scores fell most come first. */
export async function compareAnswers(store: Store, pair: RunPair): Promise<readonly AnswerChanges[]> {
  const all: AnswerChanges[] = [];
  for (const stage of stagesOf(pair)) {
    const before = await answersOf(store, { run: pair.before, stage });
    const after = await answersOf(store, { run: pair.after, stage });
    if (before === undefined || after === undefined) continue;
    const scores = {
      before: await recordScores(store, { run: pair.before, stage }),
      after: await recordScores(store, { run: pair.after, stage }),
    };
    const both = [...after].filter(([id]) => before.has(id));
    const changed = both.flatMap(([id, answer]) =>
      changeOf({ id, before: before.get(id), after: answer, scores }),
    );
    const examples = changed.sort((a, b) => gainOf(a) - gainOf(b));
    all.push({ stage, compared: both.length, changed: changed.length, examples });
  }
  return all;
}

export interface RunPair {
  readonly before: RunRecord;
  readonly after: RunRecord;
}

/** Every stage of two runs, in the order of the later run, then those of the earlier run alone. */
export const stagesOf = ({ before, after }: RunPair): readonly string[] => [
  ...new Set([...Object.keys(after.stages), ...Object.keys(before.stages)]),
];

export interface AnswerChanges {
  readonly stage: string;
  /** Records that both runs answered. */
  readonly compared: number;
  readonly changed: number;
  /** Those that got worse first, then in the order of the records. */
  readonly examples: readonly AnswerChange[];
}

export interface AnswerChange {
  readonly id: string;
  readonly question: string;
  readonly expected: string;
  readonly before: string;
  readonly after: string;
  /** The sum of the record's scores, if a stage scores these answers; higher is better. */
  readonly score_before?: number;
  readonly score_after?: number;
}

type RecordScores = ReadonlyMap<string, number>;

function changeOf(answer: {
  readonly id: string;
  readonly before: ResponseRecord | undefined;
  readonly after: ResponseRecord;
  readonly scores: { readonly before: RecordScores; readonly after: RecordScores };
}): readonly AnswerChange[] {
  const { id, before, after, scores } = answer;
  const [old, current] = [before && answerIn(before), answerIn(after)];
  if (old === undefined || old === current) return [];
  const [scoreBefore, scoreAfter] = [scores.before.get(id), scores.after.get(id)];
  return [
    {
      id,
      question: questionOf(after),
      expected: after.expected.trim(),
      before: old,
      after: current,
      ...(scoreBefore === undefined ? {} : { score_before: scoreBefore }),
      ...(scoreAfter === undefined ? {} : { score_after: scoreAfter }),
    },
  ];
}

/** The response, the likeliest of the choices, or the log-likelihood of the response. */
function answerIn({ response, choices, log_likelihood }: ResponseRecord): string {
  if (response !== undefined) return response;
  const likeliest = choices?.reduce((best, next) =>
    next.log_likelihood > best.log_likelihood ? next : best,
  );
  return likeliest?.text ?? `log-likelihood ${log_likelihood?.toFixed(3)}`;
}

/** Answers without scores sort between those that got worse and those that got better. */
const gainOf = ({ score_before = 0, score_after = 0 }: AnswerChange): number => score_after - score_before;

/** Record id -> the sum of its scores in all stages that score these answers; higher is better. */
async function recordScores(store: Store, { run, stage }: StageOfRun): Promise<RecordScores> {
  const sums = new Map<string, number>();
  for (const scorer of scorersOf(store, { run, stage })) {
    const { metrics, records } = (await scoresOf(store, { run, stage: scorer })) ?? { metrics: [] };
    const lowerIsBetter = new Set(
      metrics.filter(({ higher_is_better }) => !higher_is_better).map(({ metric }) => metric),
    );
    for (const { id, values } of records ?? [])
      for (const [metric, value] of Object.entries(values)) {
        if (typeof value !== 'number' && typeof value !== 'boolean') continue;
        sums.set(id, (sums.get(id) ?? 0) + (lowerIsBetter.has(metric) ? -Number(value) : Number(value)));
      }
  }
  return sums;
}

/** The stages of a run that scored a stage's answers. */
function scorersOf(store: Store, { run, stage }: StageOfRun): readonly string[] {
  const asked = run.stages[stage];
  const answers = asked !== undefined && 'outputs' in asked ? asked.outputs.responses : undefined;
  return Object.entries(run.stages).flatMap(([id, outcome]) => {
    if (!('outputs' in outcome) || !('scores' in outcome.outputs)) return [];
    const found = readRecord(store, outcome.key);
    const inputs = found.kind === 'usable' ? Object.values(found.record.material.inputs) : [];
    return answers !== undefined && inputs.includes(answers) ? [id] : [];
  });
}

/** The content of a stage's output in a run; undefined if there is none, or gc has removed it. */
async function outputOf(
  store: Store,
  { run, stage, output }: StageOfRun & { readonly output: string },
): Promise<Digest | undefined> {
  const outcome = own(run.stages, stage);
  const content = outcome !== undefined && 'outputs' in outcome ? outcome.outputs[output] : undefined;
  if (typeof content !== 'string') return undefined;
  return (await contentState(store, content)) === 'present' ? content : undefined;
}

interface StageOfRun {
  readonly run: RunRecord;
  readonly stage: string;
}

/** The scores of a stage in a run. */
export async function scoresOf(store: Store, at: StageOfRun): Promise<Scores | undefined> {
  const digest = await outputOf(store, { ...at, output: 'scores' });
  return digest && readOutput({ store, digest }, (path) => portCodecs.scores.read(path).read());
}

/** The answers of a stage in a run, by record id. */
async function answersOf(
  store: Store,
  at: StageOfRun,
): Promise<ReadonlyMap<string, ResponseRecord> | undefined> {
  const digest = await outputOf(store, { ...at, output: 'responses' });
  return (
    digest &&
    readOutput({ store, digest }, async (path) => {
      const answers = new Map<string, ResponseRecord>();
      for await (const answer of portCodecs.responses.read(path)) answers.set(answer.id, answer);
      return answers;
    })
  );
}
